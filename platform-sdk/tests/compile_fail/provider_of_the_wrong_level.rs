//! A provider that manages other resources.

use std::sync::Arc;

use platform_sdk::{
    Expr, Provider,
    prelude::*,
    provider::Connector,
    testing::Room,
};

/// A provider of accounts.
#[derive(Clone)]
struct AccountLevel;

impl Provider for AccountLevel {
    const KIND: &'static str = "account";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        unreachable!("nothing connects while it compiles")
    }
}

fn declare(stack: &Stack, account: &AccountLevel) {
    stack.add("hall", Room::new("hall")).provider(account);
}

fn main() {}
