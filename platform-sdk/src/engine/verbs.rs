//! The engine's verbs, as the command line calls them.

use crate::{
    Result,
    cli::{
        Context, DriftArguments, Exit, ImportArguments, PlanArguments, RollbackArguments, StateForgetArguments,
        StateMoveArguments, StateUnlockArguments, UpArguments,
    },
    report::Diagnostic,
    state::Snapshot,
};

macro_rules! not_built_yet {
    ($($name:ident ( $($argument:ty),* ) -> $result:ty;)*) => {$(
        pub(crate) async fn $name(_context: &Context $(, _: $argument)*) -> Result<$result> {
            Err(Diagnostic::error(concat!("`", stringify!($name), "` is not built yet")).into())
        }
    )*};
}

not_built_yet! {
    plan(&PlanArguments) -> Exit;
    up(&UpArguments) -> Exit;
    destroy() -> Exit;
    drift(&DriftArguments) -> Exit;
    import(&ImportArguments) -> Exit;
    history() -> Exit;
    rollback(&RollbackArguments) -> Exit;
    state_move(&StateMoveArguments) -> Exit;
    state_forget(&StateForgetArguments) -> Exit;
    state_export() -> Exit;
    state_unlock(&StateUnlockArguments) -> Exit;
    state_repair() -> Exit;
    snapshot(Option<u64>) -> Snapshot;
}
