//! The provider contract, page by page, against servers. Names begin with the number of the clause that they check.
//!
//! A suite whose server can't be had prints that it was left out, and passes.

mod boto;
mod bucket;
mod caller_identity;
mod errors;
mod kms_key;
mod lifecycle;
mod role;
mod role_policy;
mod server;
mod subject;
mod unset;

/// Runs scenarios, each an `async fn(Subject)`, against every server there is.
macro_rules! against_servers {
    ($($scenario:ident),+ $(,)?) => {
        mod moto {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $scenario() {
                    // With its module: other pages have scenarios of the same name, and moto is shared.
                    const NAME: &str = concat!(module_path!(), "::", stringify!($scenario));
                    if let Some(subject) = crate::subject::Subject::on_moto(NAME).await {
                        super::$scenario(subject).await;
                    }
                }
            )+
        }

        mod sandbox {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $scenario() {
                    // With its module: other pages have scenarios of the same name, and moto is shared.
                    const NAME: &str = concat!(module_path!(), "::", stringify!($scenario));
                    if let Some(subject) = crate::subject::Subject::on_sandbox(NAME).await {
                        super::$scenario(subject).await;
                    }
                }
            )+
        }
    };
}
pub(crate) use against_servers;
