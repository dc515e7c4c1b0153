//! How runs behave: a file for each behaviour, over the harness and a service of these tests' own.
//!
//! Where a run is killed, stopped or has company, other files prove it:
//!
//! | what | where |
//! |---|---|
//! | killed at any await, lost and late answers, lag, damage by others | `tests/simulation/` |
//! | `prod` killed at every fault point, every answer lost | `tests/tests/prod_killed.rs` of the workspace |
//! | interrupts, at any time; a reader that has gone | `tests/tests/interrupted.rs` |
//! | two runs at once | `tests/tests/two_runs.rs` |
//! | a panic or an error in the program plans nothing | `tests/tests/bad_input.rs` |
//! | waiting for readiness slows nobody | `tests/timing/not_ready.rs` |
//! | saved plans: exactly those steps, or what moved | `src/cli/tests/saved_plans.rs` |
//!
//! Which test holds which clause of what a run promises:
//!
//! - **Replace.** by the natural key: `replace_order::under_the_same_key_the_old_one_goes_first`,
//!   `replace_order::under_another_key_the_new_one_comes_first`, `replace_order::an_unknown_key_counts_as_the_same`;
//!   overridable: `replace_order::an_option_overrides_the_order`; renames in place, with what is below:
//!   `renames::a_rename_is_one_call_and_everything_below_keeps_its_object`,
//!   `renames::two_names_in_one_path_can_change_in_one_run`; dependents:
//!   `references::a_dependent_without_fixed_fields_is_updated`,
//!   `references::a_holder_is_replaced_with_what_it_holds_when_that_goes_first`,
//!   `references::a_holder_is_only_updated_when_the_new_one_comes_first`; interrupted: the same goal, removed
//!   meanwhile, changed inputs: `interrupted_replacement::with_the_same_goal_nothing_is_deleted_twice`,
//!   `interrupted_replacement::when_the_resource_is_removed_meanwhile_nothing_is_left`,
//!   `interrupted_replacement::with_changed_inputs_the_new_ones_are_created`; old objects stay in state until gone,
//!   in order: `interrupted_replacement::what_awaits_deletion_is_in_the_plan_until_it_is_gone`,
//!   `interrupted_replacement::old_ones_end_after_what_still_refers_to_them_and_before_what_they_refer_to`.
//! - **Foreseen.** names that the program gives: `foreseen::a_new_stack_shows_the_names_that_it_gives`,
//!   `foreseen::a_replacement_under_another_name_shows_that_name`, and no update for the same one:
//!   `foreseen::what_follows_a_replacement_under_the_same_name_stays_as_it_is`; what only follows, and what a change does
//!   beside it: `foreseen::what_only_follows_is_counted_apart`, `foreseen::what_a_change_does_beside_it_is_said`.
//! - **May-replace.** nothing destructive before the value is known, and keep where it is the same:
//!   `may_replace::everything_that_hangs_on_the_value_says_so_and_is_kept_when_it_is_the_same`,
//!   `may_replace::everything_that_hangs_on_the_value_is_replaced_when_it_differs`,
//!   `may_replace::it_counts_as_a_replacement_for_every_guard`.
//! - **Containment.** cascades and refuses, recursively, with reasons, no call wasted:
//!   `containment::a_delete_takes_along_what_cascades_and_first_deletes_what_refuses`,
//!   `containment::a_replacement_replaces_what_is_in_it_recursively_with_reasons`; contents of others:
//!   `containment::contents_of_others_forbid_the_end_of_a_place`,
//!   `containment::with_force_and_the_loss_said_contents_of_others_go_along`; retained children and same-key
//!   replacements: `containment::a_retained_child_of_a_place_that_goes_is_refused`,
//!   `containment::a_retained_resource_is_not_replaced_under_the_same_key`.
//! - **Scope.** another host, another credential: `scope::another_host_changes_nothing`,
//!   `logins::credentials_of_a_provider_that_is_given_to_a_part_of_the_stack_are_used`; another identity:
//!   `scope::another_identity_behind_a_named_provider_replaces`,
//!   `scope::another_identity_behind_the_default_provider_is_refused_by_name`; gone, unread:
//!   `scope::what_stands_on_a_place_that_is_gone_is_gone_unread`; a provider of a dropped resource:
//!   `scope::what_stood_on_a_place_is_deleted_after_its_provider_is_dropped`,
//!   `scope::a_dropped_place_takes_along_what_stands_on_it`.
//! - **Ordering.** union of old and new dependencies: `ordering::a_dependency_can_turn_around`,
//!   `ordering::a_bare_dependency_orders_creates_and_deletes`, `ordering::a_dropped_dependency_no_longer_orders`;
//!   drop a reference and delete its target: `ordering::a_reference_is_dropped_before_its_target_is_deleted`; swap
//!   two references: `ordering::two_references_are_swapped`; between components:
//!   `moves::components_are_entered_left_and_renamed`; a chain of 10,000:
//!   `ordering::a_chain_of_ten_thousand_lives_and_dies`.
//! - **Options.** protect: `protect::in_state_it_forbids_until_a_run_has_taken_it_away`,
//!   `protect::in_the_program_it_forbids_before_any_run_has_recorded_it`,
//!   `protect::all_violations_are_said_at_once_before_anything_runs`, `protect::it_counts_only_where_a_target_goes`,
//!   `protect::an_update_that_fails_leaves_it_in_force`; retain_on_delete:
//!   `retain_on_delete::a_dropped_resource_is_forgotten`,
//!   `retain_on_delete::it_holds_as_soon_as_the_program_says_so`,
//!   `retain_on_delete::what_is_gone_already_is_just_forgotten`; ignore_changes:
//!   `ignore_changes::drift_and_edits_at_the_path_are_nothing_to_do`,
//!   `ignore_changes::a_replacement_takes_over_what_is_there`,
//!   `ignore_changes::elements_can_be_ignored_as_a_whole_or_in_part`; replace_on_changes:
//!   `options_only::a_change_at_a_named_path_replaces`,
//!   `may_replace::a_field_that_an_option_forces_waits_for_its_value`; delete_before_replace:
//!   `replace_order::an_option_overrides_the_order`; deleted_with: `deleted_with::when_both_go_there_is_one_call`,
//!   `deleted_with::alone_it_is_deleted_by_a_call`, `deleted_with::when_the_other_is_replaced_it_is_made_anew`,
//!   `deleted_with::when_the_other_stays_after_a_failure_so_does_it`,
//!   `deleted_with::a_target_of_one_alone_calls_for_it`; moved_from: rename, re-parent, components, chains, swaps:
//!   `moves::a_rename_is_a_move`, `moves::a_moved_one_can_get_another_parent`,
//!   `moves::components_are_entered_left_and_renamed`, `moves::a_chain_moves_each_by_one`,
//!   `moves::a_swap_is_done_once`, `moves::a_swap_is_done_once_also_when_the_run_fails`; import, then update, then
//!   replace: `imports::an_import_shows_the_difference_then_owns_it`,
//!   `imports::an_imported_one_is_updated_then_replaced_while_the_program_still_says_import`; adopt_existing:
//!   `imports::adoption_takes_what_is_there_and_creates_what_is_not`,
//!   `imports::without_being_asked_nothing_is_adopted`; timeouts:
//!   `timeouts::a_read_without_an_answer_holds_back_only_itself`,
//!   `timeouts::an_update_without_an_answer_is_planned_again`,
//!   `timeouts::a_delete_without_an_answer_leaves_it_in_state`,
//!   `timeouts::a_create_without_an_answer_is_made_once_all_the_same`; options only:
//!   `options_only::they_are_recorded_without_a_call_and_then_nothing_is_left`.
//! - **Fields.** removal, default, computed, nullable: `unset_fields::a_default_is_gone_back_to`,
//!   `unset_fields::a_computed_one_is_released_and_said`, `unset_fields::a_nullable_one_is_taken_away`,
//!   `unset_fields::a_fixed_one_that_is_unset_is_another_value`; judge: `judged::wider_is_in_place`,
//!   `judged::narrower_is_in_place_and_loses_data`, `judged::below_zero_is_another_chest`; too deep to be read
//!   back: `nesting::an_input_that_nests_too_deep_is_refused_where_it_is_declared`,
//!   `nesting::an_answer_that_nests_too_deep_loses_that_output_and_not_the_object`; schema versions:
//!   `schema_versions::a_rename_is_no_change`, `schema_versions::a_newer_version_is_refused_by_name`.
//! - **Targets and exclude.** the closure before anything runs: `targets::what_a_target_needs_is_made_first`,
//!   `targets::an_excluded_dependency_that_is_missing_is_said_before_anything_runs`; what is left out stays whole:
//!   `targets::what_is_left_out_keeps_its_state`, `targets::an_excluded_dependent_forbids_the_end_of_what_it_needs`.
//! - **Journal, lost answers.** the same command, an edited program:
//!   `lost_answers::two_new_ones_without_key_or_mark_are_told_apart`,
//!   `lost_answers::a_rename_that_happened_is_remembered_though_its_update_failed`,
//!   `interrupted_replacement::answers_that_were_lost_on_the_way_change_nothing`; another command:
//!   `state_by_hand::what_had_happened_is_moved_too`,
//!   `state_by_hand::what_can_not_be_told_is_neither_moved_nor_forgotten_nor_moved_onto`,
//!   `state_by_hand::a_state_that_is_taken_in_does_not_end_what_was_open`,
//!   `state_by_hand::another_key_opens_what_was_open`, `state_by_hand::a_rollback_takes_back_what_had_happened_too`;
//!   a command that reads: `read_only::what_had_happened_is_found_out_in_memory`,
//!   `read_only::what_can_not_be_told_is_said_and_planned_for_no_one`,
//!   `read_only::under_the_lease_of_another_it_is_in_progress`; somebody else's of the same name:
//!   `scope::a_stranger_that_took_its_name_after_a_failed_create_is_not_taken_over`,
//!   `imports::without_being_asked_nothing_is_adopted`.
//! - **Failure.** independent branches go on: `unsettled::the_others_go_on_and_once_it_can_be_told_it_is_finished`,
//!   `interrupted_replacement::a_dependent_that_failed_lets_go_before_the_old_one_ends`; updates that half happened:
//!   `half_renames::the_next_run_finishes_it_and_nothing_is_made_anew`,
//!   `half_renames::with_the_program_as_it_was_it_is_renamed_back`,
//!   `half_renames::a_process_that_ends_then_has_told_the_new_id`,
//!   `unset_fields::a_nullable_one_is_taken_away_that_only_a_failed_update_had_set`; told as such:
//!   `counted::half_an_update_is_a_part`, `counted::half_a_replacement_is_a_part`,
//!   `counted::what_was_made_and_is_not_ready_is_a_part`,
//!   `counted::of_what_was_not_answered_nobody_says_that_it_did_nothing`.
//! - **Readiness.** not reached, and waited for by the next run: after a timeout
//!   `readiness::a_wait_that_ran_out_of_time_goes_on_with_the_next_run_before_dependents_start`, an interrupt
//!   `readiness::after_an_interrupt_the_next_run_waits_before_dependents_start`, a kill
//!   `readiness::after_a_kill_the_next_run_waits_before_dependents_start`; what lies behind it:
//!   `readiness::what_a_provider_is_made_of_is_waited_for_before_anything_is_made_behind_it`,
//!   `readiness::behind_what_is_not_ready_nothing_is_looked_up_or_imported_yet`.
//! - **Cancel.** the first interrupt: `interrupted::what_is_in_flight_is_waited_for_and_not_begun_again`,
//!   `interrupted::readiness_is_not_waited_for_and_the_next_run_goes_on_waiting`,
//!   `interrupted::a_create_that_was_one_too_many_is_not_sent_again`,
//!   `interrupted::an_update_that_was_one_too_many_is_not_sent_again`,
//!   `interrupted::a_delete_that_was_one_too_many_is_not_sent_again`,
//!   `interrupted::a_create_without_an_answer_stays_open_and_is_made_once`,
//!   `interrupted::a_read_that_is_too_much_is_not_waited_for`.
//! - **Refresh.** gone: `refresh::what_is_gone_is_made_again_and_told_as_drift`; changed:
//!   `refresh::what_was_changed_is_changed_back_and_nothing_else`; changed id:
//!   `refresh::what_has_another_id_keeps_its_address_and_state_learns_the_id`, `refresh::another_id_is_accepted`,
//!   `refresh::one_object_is_not_owned_at_two_addresses`, `refresh::what_somebody_else_renamed_is_nobodys`,
//!   `refresh::what_somebody_made_anew_is_not_taken_over`,
//!   `refresh::what_somebody_made_anew_is_taken_over_when_it_is_accepted`; denied:
//!   `refresh::what_may_not_be_read_holds_back_itself_and_is_told_once`,
//!   `held_back::what_would_have_to_end_unseen_is_refused`; throttled:
//!   `refresh::a_read_that_is_one_too_many_is_asked_again`, `refresh::what_stays_too_much_holds_back_itself`,
//!   `refresh::as_long_as_the_program_gives_it`,
//!   `refresh::a_service_that_refuses_everything_is_not_waited_for_by_each`; lists that omit:
//!   `refresh::a_list_that_leaves_something_out_is_not_believed`, `refresh::where_listing_is_refused_each_is_read`;
//!   `drift --accept`: `drift::what_was_changed_is_accepted_with_its_rust_and_is_no_drift_any_more`,
//!   `drift::what_is_gone_leaves_the_state_and_has_no_rust`, `drift::what_may_not_be_read_is_not_gone`; what the program
//!   does not set: `unmanaged::an_addition_is_told_and_left_alone`,
//!   `unmanaged::what_the_service_fills_in_by_itself_is_no_addition`,
//!   `unmanaged::a_field_that_the_program_sets_later_is_its_own_and_one_that_it_drops_is_watched`,
//!   `unmanaged::a_step_of_another_field_does_not_take_an_addition_for_its_own_doing`,
//!   `unmanaged::what_is_accepted_is_told_no_more`, `unmanaged::a_state_that_knows_no_baseline_says_nothing_and_the_next_run_makes_one`.

mod circles;
mod clauses;
mod commands;
mod support;
mod yard;

mod components;
mod consent;
mod containment;
mod counted;
mod data;
mod deleted_with;
mod drift;
mod foreseen;
mod former_types;
mod half_renames;
mod hand_over;
mod held_back;
mod ignore_changes;
mod imports;
mod interrupted;
mod interrupted_replacement;
mod judged;
mod logins;
mod lookups;
mod lost_answers;
mod may_replace;
mod missing;
mod mistakes;
mod moves;
mod nesting;
mod options_only;
mod ordering;
mod own_names;
mod panics;
mod protect;
mod read_only;
mod readiness;
mod references;
mod refresh;
mod renames;
mod replace_order;
mod retain_on_delete;
mod schema_versions;
mod scope;
mod state_by_hand;
mod targets;
mod timeouts;
mod unmanaged;
mod unreachable;
mod unset_fields;
mod unsettled;
mod waits;
