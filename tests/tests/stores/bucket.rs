//! A bucket of moto's, and what the environment says of it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use platform_sdk::state::Location;
use platform_tests::Server;

/// An empty bucket, which ends with its server.
pub(crate) struct S3 {
    server: Server,
}

impl S3 {
    /// A new bucket, or none and the suite's name among those that were left out.
    pub(crate) fn start(suite: &str) -> Option<Self> {
        let server = Server::moto(suite)?;
        let address = server.url().trim_start_matches("http://").to_owned();
        let request =
            format!("PUT /acme-state HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(&address).expect("moto listens");
        stream.write_all(request.as_bytes()).expect("moto reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("moto answers");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        Some(Self { server })
    }

    /// `--state`.
    pub(crate) const URL: &str = "s3://acme-state/platform";

    /// The variables of a login.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let endpoint = self.server.url();
        let login = [
            ("AWS_ACCESS_KEY_ID", "AKIATEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ];
        login.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The stack `acme/prod` in it.
    pub(crate) fn location(&self) -> Location {
        Location::of_environment(Self::URL, "acme", "prod", &self.environment()).expect("a location")
    }
}
