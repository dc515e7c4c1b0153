//! Typed infrastructure programs: authoring, planning, applying and state.

pub mod sandbox;
