//! Buckets of servers that others wrote, and what the environment says of them.

use std::{collections::BTreeMap, fmt, thread};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use platform_sdk::state::{Condition, Location, Logins};
use platform_tests::{GoogleStorage, Server, request};
use sha2::Sha256;

/// The account that Azurite has, and its key, as <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>
/// publishes them.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The kinds of bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Azure,
    Google,
}

impl Service {
    /// Does this with each of them at once: most of the time is spent waiting.
    pub(crate) fn each(test: impl Fn(Self) + Sync) {
        thread::scope(|scope| {
            for service in [Self::S3, Self::Azure, Self::Google] {
                let test = &test;
                let named = thread::Builder::new().name(format!("state in {service}"));
                named.spawn_scoped(scope, move || test(service)).expect("a thread");
            }
        });
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::S3 => "S3",
            Self::Azure => "Azure",
            Self::Google => "Google",
        })
    }
}

/// Who serves it.
enum Served {
    Moto(Server),
    Azurite(Server),
    FakeGcs(GoogleStorage),
}

/// An empty bucket, which ends with its server.
pub(crate) struct Bucket(Served);

impl Bucket {
    /// A new bucket, or none and the suite's name among those that were left out: `state in S3: by hand`.
    pub(crate) fn start(service: Service, suite: &str) -> Option<Self> {
        let suite = format!("state in {service}: {suite}");
        let served = match service {
            Service::S3 => Served::Moto(Server::moto(&suite)?),
            Service::Azure => Served::Azurite(Server::azurite(&suite)?),
            Service::Google => Served::FakeGcs(GoogleStorage::start(&suite)?),
        };
        let bucket = Self(served);
        bucket.create();
        Some(bucket)
    }

    fn create(&self) {
        let (call, headers, body) = match &self.0 {
            // moto asks for a signature and does not look at it.
            Served::Moto(_) => {
                let scope = "AKIATEST/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
                (("PUT", "/acme-state/"), format!("authorization: AWS4-HMAC-SHA256 Credential={scope}\r\n"), "")
            }
            Served::Azurite(_) => {
                (("PUT", "/devstoreaccount1/acme-state?restype=container"), signed_creation_of_a_container(), "")
            }
            Served::FakeGcs(_) => {
                let json = "content-type: application/json\r\n".to_owned();
                (("POST", "/storage/v1/b?project=acme"), json, r#"{"name": "acme-state"}"#)
            }
        };
        let (head, said) = request(&self.server(), &headers, call, body);
        let created = head.starts_with("HTTP/1.1 200 ") || head.starts_with("HTTP/1.1 201 ");
        assert!(created, "{head}\n{said}");
    }

    fn server(&self) -> String {
        match &self.0 {
            Served::Moto(server) | Served::Azurite(server) => server.url(),
            Served::FakeGcs(storage) => storage.url(),
        }
    }

    /// Another bucket of that service.
    pub(crate) fn bucket(&self, name: &str) -> String {
        let scheme = match self.0 {
            Served::Moto(_) => "s3",
            Served::Azurite(_) => "az",
            Served::FakeGcs(_) => "gs",
        };
        format!("{scheme}://{name}")
    }

    /// A folder of it, for `--state`.
    pub(crate) fn folder(&self, name: &str) -> String {
        format!("{}/{name}", self.bucket("acme-state/platform"))
    }

    /// Where it is served.
    pub(crate) fn endpoint(&self) -> String {
        match &self.0 {
            Served::Azurite(server) => format!("{}/{ACCOUNT}", server.url()),
            _ => self.server(),
        }
    }

    /// The variables of a login.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let endpoint = self.endpoint();
        let login = match &self.0 {
            Served::Moto(_) => vec![
                ("AWS_ACCESS_KEY_ID", "AKIATEST"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ],
            Served::Azurite(_) => vec![
                ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
                ("AZURE_STORAGE_ACCOUNT_KEY", KEY),
                ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
            ],
            Served::FakeGcs(_) => vec![("STORAGE_EMULATOR_HOST", endpoint.as_str())],
        };
        login.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The stack `acme/prod` in a place of that service.
    pub(crate) fn location(&self, url: &str) -> Location {
        // Without providers: the login is the environment's.
        let logins = Logins::of_environment(self.environment());
        Location::with_logins(url, "acme", "prod", &logins).expect("a location")
    }

    /// Puts something else in the place of an object.
    pub(crate) fn overwrite(&self, folder: &str, key: &str, content: &'static str) {
        let store = self.location(folder).store();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let there = store.get(key).await.expect("read").expect("it is there");
            store.put(key, content.into(), Condition::Version(there.version)).await.expect("written");
        });
    }
}

/// The headers of a request for the container, signed as
/// <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key> says.
fn signed_creation_of_a_container() -> String {
    let headers = ["x-ms-date:Thu, 01 Jan 2026 00:00:00 GMT", "x-ms-version:2023-11-03"];
    let resource = format!("/{ACCOUNT}/{ACCOUNT}/acme-state\nrestype:container");
    // Between the method and these, eleven headers that the request has not got.
    let signature = signature(&format!("PUT{}{}\n{resource}", "\n".repeat(12), headers.join("\n")));
    format!("{}\r\nauthorization: SharedKey {ACCOUNT}:{signature}\r\n", headers.join("\r\n"))
}

/// A token for the blobs of that account, as
/// <https://learn.microsoft.com/rest/api/storageservices/create-account-sas> has it.
pub(crate) fn shared_access() -> String {
    let (may, services, resources, ends, version) = ("rwdlc", "b", "sco", "2099-01-01T00:00:00Z", "2023-11-03");
    // Without a start, an address, a protocol and an encryption scope.
    let signed = format!("{ACCOUNT}\n{may}\n{services}\n{resources}\n\n{ends}\n\n\n{version}\n\n");
    let signature = signature(&signed).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("sv={version}&ss={services}&srt={resources}&sp={may}&se={ends}&sig={signature}")
}

fn signature(signed: &str) -> String {
    let key = BASE64_STANDARD.decode(KEY).expect("a key");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("of any length");
    mac.update(signed.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}
