//! A bucket of moto's, and what the environment says of it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use platform_sdk::state::{Location, Logins};
use platform_tests::Server;

/// An empty bucket, which ends with its server.
pub(crate) struct S3 {
    server: Server,
}

impl S3 {
    /// A new bucket, or none and the suite's name among those that were left out.
    pub(crate) fn start(suite: &str) -> Option<Self> {
        let server = Server::moto(suite)?;
        let s3 = Self { server };
        s3.put("", "");
        Some(s3)
    }

    /// Writes an object of the bucket past every program; without a key, the bucket itself.
    pub(crate) fn put(&self, key: &str, content: &str) {
        let address = self.server.url().trim_start_matches("http://").to_owned();
        let length = content.len();
        // moto asks for a signature and does not look at it.
        let scope = "AKIATEST/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
        let head = format!(
            "PUT /acme-state/{key} HTTP/1.1\r\nhost: {address}\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential={scope}\r\ncontent-length: {length}\r\n"
        );
        let mut stream = TcpStream::connect(&address).expect("moto listens");
        stream.write_all(format!("{head}connection: close\r\n\r\n{content}").as_bytes()).expect("moto reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("moto answers");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// `--state`.
    pub(crate) const URL: &str = "s3://acme-state/platform";

    /// Where it is served.
    pub(crate) fn endpoint(&self) -> String {
        self.server.url()
    }

    /// The variables of a login.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let endpoint = self.endpoint();
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
        self.location_in(Self::URL)
    }

    /// The same stack in another place of that service.
    pub(crate) fn location_in(&self, url: &str) -> Location {
        // Without providers: the login is the environment's keys.
        let logins = Logins::of_environment(self.environment());
        Location::with_logins(url, "acme", "prod", &logins).expect("a location")
    }
}
