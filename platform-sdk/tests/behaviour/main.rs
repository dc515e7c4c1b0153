//! How runs behave: a file for each behaviour, over the harness and a service of these tests' own.

mod support;
mod yard;

mod containment;
mod deleted_with;
mod held_back;
mod ignore_changes;
mod imports;
mod interrupted_replacement;
mod judged;
mod logins;
mod lookups;
mod may_replace;
mod moves;
mod options_only;
mod ordering;
mod protect;
mod read_only;
mod references;
mod renames;
mod replace_order;
mod retain_on_delete;
mod schema_versions;
mod scope;
mod targets;
mod unset_fields;
mod unsettled;
