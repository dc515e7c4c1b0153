//! What the page promises beyond the contract.
