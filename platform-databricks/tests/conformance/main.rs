//! Every page against the sandbox, by the numbered clauses of the provider contract. Each request that leaves the client
//! on the way is checked against the API's facts.
//!
//! A page takes part with one line here and one [`Page`](page::Page) of its own.

mod catalog;
mod clauses;
mod compute;
mod drift;
mod facts;
mod force;
mod lifecycle;
mod owners;
mod page;
mod unmanaged;
mod unset;
mod world;

/// Tests of each clause for each page, with names that carry the clause's number.
macro_rules! conform {
    ($($page:ident: $make:expr;)+) => {
    $(
        mod $page {
            use crate::{clauses, page::Page};

            fn page() -> Page {
                $make
            }

            #[tokio::test]
            async fn clause_01_create_gives_an_id_and_all_outputs_and_read_shows_what_was_asked_for() {
                clauses::create_is_then_read(&page()).await;
            }

            #[tokio::test]
            async fn clause_02_absence_is_no_error_and_denial_is_no_absence() {
                clauses::absence_and_denial(&page()).await;
            }

            #[tokio::test]
            async fn clause_03_find_gives_the_id_that_create_gave() {
                clauses::find_is_create(&page()).await;
            }

            #[tokio::test]
            async fn clause_04_update_changes_what_differs_and_nothing_else() {
                clauses::update_each_field_alone(&page()).await;
            }

            #[tokio::test]
            async fn clause_05_delete_of_something_gone_succeeds() {
                clauses::delete_twice(&page()).await;
            }

            #[tokio::test]
            async fn clause_06_repeating_after_a_lost_answer_ends_as_calling_once() {
                clauses::lost_answers(&page()).await;
            }

            #[tokio::test]
            async fn clause_07_a_second_create_is_classified() {
                clauses::create_twice(&page()).await;
            }

            #[tokio::test]
            async fn clause_08_nothing_differs_after_a_create_or_an_update() {
                clauses::nothing_differs(&page()).await;
            }

            #[tokio::test]
            async fn clause_10_changes_behind_our_back_are_seen() {
                clauses::changes_behind_our_back(&page()).await;
            }

            #[tokio::test]
            async fn clause_10_a_change_of_each_field_alone_is_seen() {
                crate::drift::every_change_is_seen(&page()).await;
            }

            #[tokio::test]
            async fn clause_10_a_list_shows_of_what_is_not_set_what_a_read_shows() {
                crate::unmanaged::a_list_shows_what_a_read_shows(&page()).await;
            }

            #[tokio::test]
            async fn clause_04_what_a_plan_says_of_a_field_that_is_taken_away_happens() {
                crate::unset::what_is_said_happens(&page()).await;
            }
        }
    )+

        /// Every page that takes part.
        fn pages() -> Vec<page::Page> {
            vec![$($make),+]
        }
    };
}

conform! {
    catalogs: crate::catalog::catalog();
    classic_warehouses: crate::compute::classic_warehouse();
    classic_workspaces: crate::compute::classic_workspace();
    clusters: crate::compute::cluster();
    external_locations: crate::catalog::external_location();
    external_volumes: crate::catalog::external_volume();
    grants: crate::catalog::grant();
    jobs: crate::compute::job();
    managed_volumes: crate::catalog::managed_volume();
    metastore_assignments: crate::compute::metastore_assignment();
    notebooks: crate::compute::notebook();
    pooled_clusters: crate::compute::pooled_cluster();
    schemas: crate::catalog::schema();
    single_node_clusters: crate::compute::single_node_cluster();
    storage_credentials: crate::catalog::storage_credential();
    tables: crate::catalog::table();
    warehouses: crate::compute::warehouse();
    workspaces: crate::compute::workspace();
}
