//! What lives in a workspace's folders, and who is logged in there.

mod current_user;
mod folders;
mod notebook;
mod source;

pub use current_user::{CurrentUser, CurrentUserOutputs};
pub use notebook::{Notebook, NotebookOutputs, NotebookPath};
pub use source::{Language, NotebookFormat};
