//! State as a promise: what was answered is there, what is there is whole, and what is damaged is refused by name.

mod damage;
mod files;
mod fixture;
mod golden;
mod interrupted;
mod lease;
mod moved;
mod prefixes;
mod reads_back;
mod renamed;
mod repair;
mod secrets;
mod size;
mod stores;
mod written;
