//! The commit of the repository that the program runs in, for the history.

use std::path::{Path, PathBuf};

use crate::files;

/// The commit that is checked out around a folder; `None` outside of any repository, or before its first commit.
pub(super) fn commit_of(folder: &Path) -> Option<String> {
    let git = folder.ancestors().find_map(git_folder)?;
    // A worktree of its own keeps its head, and shares the branches.
    let common = files::text(&git.join("commondir"));
    let common = common.map_or_else(|_| git.clone(), |path| git.join(path.trim()));
    let head = files::text(&git.join("HEAD")).ok()?;
    let commit = match head.trim().strip_prefix("ref: ") {
        Some(name) => loose(&git, name).or_else(|| loose(&common, name)).or_else(|| packed(&common, name))?,
        None => head,
    };
    let commit = commit.trim();
    (commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| commit.to_owned())
}

/// `.git` in a folder: a folder, or a file that says where it is.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let file = files::text(&git).ok()?;
    Some(folder.join(file.trim().strip_prefix("gitdir: ")?))
}

fn loose(git: &Path, name: &str) -> Option<String> {
    files::text(&git.join(name)).ok()
}

fn packed(git: &Path, name: &str) -> Option<String> {
    let refs = files::text(&git.join("packed-refs")).ok()?;
    let found = refs.lines().find_map(|line| line.split_once(' ').filter(|(_, of)| *of == name))?;
    Some(found.0.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    #[test]
    fn a_branch_a_packed_branch_and_a_detached_head_are_read_from_any_folder_below() {
        let root = tempfile::tempdir().expect("a folder");
        let (git, below) = (root.path().join(".git"), root.path().join("a/b"));
        fs::create_dir_all(&below).expect("made");
        write(&git.join("HEAD"), "ref: refs/heads/main\n");
        assert_eq!(commit_of(&below), None, "before the first commit");
        write(&git.join("packed-refs"), &format!("# pack-refs with: peeled\n{COMMIT} refs/heads/main\n"));
        assert_eq!(commit_of(&below).as_deref(), Some(COMMIT));
        let newer = COMMIT.replace('0', "f");
        write(&git.join("refs/heads/main"), &format!("{newer}\n"));
        assert_eq!(commit_of(&below), Some(newer), "a loose branch is newer than a packed one");
        write(&git.join("HEAD"), &format!("{COMMIT}\n"));
        assert_eq!(commit_of(root.path()).as_deref(), Some(COMMIT));
        assert_eq!(commit_of(Path::new("/")), None);
    }

    #[test]
    fn a_worktree_has_its_own_head_and_the_branches_of_its_repository() {
        let root = tempfile::tempdir().expect("a folder");
        let of_worktree = root.path().join("main/.git/worktrees/w");
        write(&of_worktree.join("HEAD"), "ref: refs/heads/w\n");
        write(&of_worktree.join("commondir"), "../..\n");
        write(&root.path().join("main/.git/refs/heads/w"), COMMIT);
        write(&root.path().join("w/.git"), &format!("gitdir: {}\n", of_worktree.display()));
        assert_eq!(commit_of(&root.path().join("w")).as_deref(), Some(COMMIT));
    }
}
