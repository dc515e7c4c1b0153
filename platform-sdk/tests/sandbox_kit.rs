//! The sandbox kit, seen by a client that writes HTTP by hand: what lasts, what is logged, and what each fault looks like.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use platform_sdk::sandbox::{
    Endpoint, Faults, LogEntry, Options, Refusal, Request, Response, Service, World, attach_or_start, read_log,
};
use serde_json::{Value, json};

/// Notes by name: `PUT /notes/x` keeps the body, `GET /notes` lists, `DELETE /notes/x` removes, `POST /ids` counts.
struct Notes;

impl Service for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn seed(&self, world: &mut World) {
        world.put("notes/seeded", json!("from the start"));
    }

    fn handle(&self, request: &Request, world: &mut World) -> Response {
        match (request.method.as_str(), request.path.trim_start_matches('/')) {
            ("GET", "notes") => {
                let names: Vec<_> = world.list("notes/").map(|(key, _)| key.to_owned()).collect();
                Response::json(200, &json!(names))
            }
            ("PUT", key) => {
                world.put(key, request.json().unwrap());
                if request.query("then") == Some("refuse") {
                    return Response::json(409, &json!("refused after all"));
                }
                Response::json(200, &json!({"at": world.now_ms()}))
            }
            ("DELETE", key) => Response::empty(if world.remove(key) { 204 } else { 404 }),
            ("PUT_AND_PANIC", key) => {
                world.put(key, json!("half done"));
                panic!("a bug in the service");
            }
            ("POST", "ids") => Response::json(200, &json!(world.next_id())),
            ("GET", key) => match world.get(key) {
                Some(note) => Response::json(200, note),
                None => Response::json(404, &json!("no such note")),
            },
            _ => Response::empty(405),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        match refusal {
            Refusal::Throttled => Response::json(429, &json!("slow down")).header("Retry-After", "1"),
            Refusal::Internal => Response::json(500, &json!("oops")),
            Refusal::Unavailable => Response::json(503, &json!("closed")),
        }
    }

    fn exports(&self, base_url: &str) -> Vec<(String, String)> {
        vec![("NOTES_URL".into(), base_url.into())]
    }

    fn loggable_body(&self, request: &Request) -> Option<Value> {
        request.json().ok().filter(|body| !body.to_string().contains("secret"))
    }
}

fn start(dir: &Path) -> Endpoint {
    attach_or_start(dir, Arc::new(Notes), Options::default()).unwrap()
}

fn start_with(dir: &Path, faults: Value) -> Endpoint {
    let options = Options { faults: serde_json::from_value::<Faults>(faults).unwrap() };
    attach_or_start(dir, Arc::new(Notes), options).unwrap()
}

/// What came back: every byte until the connection closed.
struct Raw(String);

impl Raw {
    fn status(&self) -> Option<u16> {
        self.0.split(' ').nth(1)?.parse().ok()
    }

    fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

fn send(endpoint: &Endpoint, method: &str, path: &str, body: &str) -> Raw {
    let mut stream = TcpStream::connect(endpoint.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-platform-sandbox: 1\r\nauthorization: Bearer canary\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A dropped connection may end in a reset instead of an end of file.
    let _reset = stream.read_to_end(&mut answer);
    Raw(String::from_utf8(answer).unwrap())
}

fn notes(endpoint: &Endpoint) -> Vec<String> {
    serde_json::from_value(send(endpoint, "GET", "/notes", "").json()).unwrap()
}

fn log(endpoint: &Endpoint) -> Vec<LogEntry> {
    serde_json::from_value(send(endpoint, "GET", "/_sandbox/log", "").json()).unwrap()
}

#[test]
fn a_world_outlives_its_server() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path());
    send(&first, "PUT", "/notes/a", "1");
    send(&first, "PUT", "/notes/b", "2");
    send(&first, "DELETE", "/notes/seeded", "");
    let given = send(&first, "POST", "/ids", "").json();
    let url = first.url.clone();
    drop(first);

    let second = start(dir.path());
    assert_eq!(notes(&second), ["notes/a", "notes/b"]);
    assert_ne!(send(&second, "POST", "/ids", "").json(), given, "a number is given out once");
    assert_eq!(second.url, url, "exported environments stay valid");
}

#[test]
fn every_answered_change_is_on_disk_already() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path());
    send(&endpoint, "PUT", "/notes/a", "\"written\"");
    let file = fs::read_to_string(dir.path().join("notes/world.jsonl")).unwrap();
    assert!(file.lines().last().unwrap().contains(r#""put":{"notes/a":"written"}"#), "{file}");
}

#[test]
fn a_torn_last_line_is_dropped_and_the_file_compacted() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path());
    send(&first, "PUT", "/notes/a", "1");
    drop(first);
    let path = dir.path().join("notes/world.jsonl");
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(br#"{"id":9,"at_ms":1,"put":{"notes/never-answered"#).unwrap();

    let second = start(dir.path());
    assert_eq!(notes(&second), ["notes/a", "notes/seeded"]);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1, "one line holds the world");
}

#[test]
fn damage_elsewhere_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    drop(start(dir.path()));
    let path = dir.path().join("notes/world.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{{garbled\n{whole}")).unwrap();
    let error = attach_or_start(dir.path(), Arc::new(Notes), Options::default()).unwrap_err();
    assert!(error.to_string().contains("world.jsonl: line 1 is damaged"), "{error}");
    assert!(fs::read_to_string(&path).unwrap().starts_with("{garbled"), "and left as it was");
}

#[test]
fn a_second_server_attaches_to_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path());
    let second = start(dir.path());
    assert_eq!((&second.url, second.running.is_none()), (&first.url, true));
    send(&second, "PUT", "/notes/a", "1");
    assert_eq!(notes(&first), ["notes/a", "notes/seeded"]);
    drop(first);
    assert!(start(dir.path()).running.is_some(), "the lock is free again");
}

#[tokio::test]
async fn stop_frees_port_and_lock() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path());
    first.running.unwrap().stop().await;
    let second = start(dir.path());
    assert_eq!((second.url, second.running.is_some()), (first.url, true));
}

#[test]
fn a_refused_request_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path());
    assert_eq!(send(&endpoint, "PUT", "/notes/a?then=refuse", "1").status(), Some(409));
    assert_eq!(notes(&endpoint), ["notes/seeded"]);
    assert!(!log(&endpoint)[0].changed);
}

#[test]
fn a_service_that_panics_is_answered_for_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path());
    assert_eq!(send(&endpoint, "PUT_AND_PANIC", "/notes/a", "").status(), Some(500));
    assert_eq!(notes(&endpoint), ["notes/seeded"]);
}

#[test]
fn time_moves_between_requests_also_when_the_clock_went_back() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("notes")).unwrap();
    let in_the_year_2100: u64 = 4_102_444_800_000;
    let line = json!({"id": 1, "at_ms": in_the_year_2100, "next_id": 0, "put": {}, "del": []});
    fs::write(dir.path().join("notes/world.jsonl"), format!("{line}\n")).unwrap();
    let endpoint = start(dir.path());
    let at = |_| send(&endpoint, "PUT", "/notes/a", "1").json()["at"].as_u64().unwrap();
    let times: Vec<u64> = (0..3).map(at).collect();
    assert!(times[0] > in_the_year_2100 && times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[test]
fn the_log_shows_what_happened_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path());
    send(&first, "PUT", "/notes/a%2Fb?why=to+see%21", "{\"x\": 1}");
    send(&first, "PUT", "/notes/c", "\"secret\"");
    drop(first);
    let second = start(dir.path());
    send(&second, "GET", "/notes/nothing", "");

    let entries = log(&second);
    let seen: Vec<_> =
        entries.iter().map(|e| (e.n, e.method.as_str(), e.path.as_str(), e.status, e.mutating)).collect();
    assert_eq!(
        seen,
        [
            (1, "PUT", "/notes/a%2Fb", Some(200), true),
            (2, "PUT", "/notes/c", Some(200), true),
            (3, "GET", "/notes/nothing", Some(404), false),
        ]
    );
    assert_eq!(entries[0].query, [("why".to_owned(), "to see!".to_owned())]);
    assert_eq!(entries[0].body, Some(json!({"x": 1})));
    let file = dir.path().join("notes/requests.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("canary") && !text.contains("secret"), "{text}");
    assert_eq!(read_log(&file).unwrap(), entries);
    let since: Vec<LogEntry> =
        serde_json::from_value(send(&second, "GET", "/_sandbox/log?since=2", "").json()).unwrap();
    assert_eq!(since, entries[2..]);
}

#[test]
fn reset_takes_the_world_back_to_the_seed() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path());
    let fresh = send(&first, "GET", "/_sandbox/world", "");
    send(&first, "PUT", "/notes/a", "1");
    send(&first, "DELETE", "/notes/seeded", "");
    assert_eq!(send(&first, "POST", "/_sandbox/reset", "").status(), Some(200));
    assert_eq!(send(&first, "GET", "/_sandbox/world", "").body(), fresh.body());
    drop(first);
    assert_eq!(notes(&start(dir.path())), ["notes/seeded"], "also after a restart");
}

#[test]
fn faults_are_shown_and_set_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path());
    assert_eq!(send(&endpoint, "PUT", "/_sandbox/faults", r#"{"thrttle": 1}"#).status(), Some(400));
    assert_eq!(send(&endpoint, "PUT", "/_sandbox/faults", r#"{"throttle": 1.0}"#).status(), Some(200));
    assert_eq!(send(&endpoint, "GET", "/_sandbox/faults", "").json()["throttle"], json!(1.0));
    let refused = send(&endpoint, "PUT", "/notes/a", "1");
    assert_eq!((refused.status(), refused.header("retry-after")), (Some(429), Some("1")));
    send(&endpoint, "PUT", "/_sandbox/faults", "{}");
    assert_eq!(notes(&endpoint), ["notes/seeded"], "and it had no effect");
}

/// Puts a note under one fault; what came back, what exists afterwards, and what the log says.
fn put_under(fault: &str) -> (Raw, bool, LogEntry) {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start_with(dir.path(), json!({"nth_mutation": {"n": 1, "fault": fault}, "late_ms": 60_000}));
    let raw = send(&endpoint, "PUT", "/notes/a", "1");
    let world = send(&endpoint, "GET", "/_sandbox/world", "").json();
    (raw, world.get("notes/a").is_some(), log(&endpoint).remove(0))
}

#[test]
fn errors_before_and_after_the_effect() {
    let (raw, effect, entry) = put_under("error_before");
    assert!(matches!(raw.status(), Some(500 | 503)) && !effect && !entry.changed);
    let (raw, effect, entry) = put_under("error_after");
    assert_eq!((raw.status(), effect, entry.status, entry.changed), (Some(500), true, Some(500), true));
}

#[test]
fn connections_dropped_before_and_after_the_effect() {
    let (raw, effect, entry) = put_under("reset_before");
    assert_eq!((raw.0.as_str(), effect, entry.status), ("", false, None));
    let (raw, effect, entry) = put_under("reset_after");
    assert_eq!((raw.0.as_str(), effect, entry.status), ("", true, Some(200)));
    assert_eq!(serde_json::to_value(entry.fault).unwrap(), json!("reset_after"));
}

#[test]
fn a_truncated_answer_says_more_than_it_sends() {
    let (raw, effect, _) = put_under("truncate");
    let said: usize = raw.header("content-length").unwrap().parse().unwrap();
    assert!(effect && raw.status() == Some(200));
    assert_eq!(raw.body().len(), said / 2);
}

#[test]
fn a_page_instead_of_an_answer() {
    let (raw, effect, _) = put_under("html");
    assert_eq!((raw.status(), effect), (Some(200), false));
    assert!(raw.header("content-type").unwrap().starts_with("text/html") && raw.body().starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_stale_read_sees_the_past() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path());
    send(&endpoint, "PUT", "/notes/a", "1");
    send(&endpoint, "PUT", "/_sandbox/faults", r#"{"stale": 1.0, "stale_ms": 3600000}"#);
    assert!((0..20).any(|_| notes(&endpoint).len() == 1), "in most of the last hour there was no note");
    send(&endpoint, "PUT", "/notes/b", "2");
    send(&endpoint, "PUT", "/_sandbox/faults", "{}");
    assert_eq!(notes(&endpoint), ["notes/a", "notes/b", "notes/seeded"], "nothing of the past comes back");
}

#[test]
fn a_late_effect_is_answered_at_once_and_seen_later() {
    let dir = tempfile::tempdir().unwrap();
    let faults = json!({"late_ms": 400, "at": [{"method": "PUT", "path_prefix": "/notes/late", "fault": "late"}]});
    let endpoint = start_with(dir.path(), faults);
    assert_eq!(send(&endpoint, "PUT", "/notes/late", "1").status(), Some(200));
    send(&endpoint, "PUT", "/notes/soon", "1");
    assert_eq!(notes(&endpoint), ["notes/seeded", "notes/soon"]);
    assert_eq!(send(&endpoint, "DELETE", "/notes/late", "").status(), Some(204), "writers see it");
    send(&endpoint, "PUT", "/notes/late", "2");
    std::thread::sleep(Duration::from_millis(450));
    assert_eq!(notes(&endpoint), ["notes/late", "notes/seeded", "notes/soon"]);
}

#[test]
fn latency_delays_every_request() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start_with(dir.path(), json!({"latency_ms": {"min": 80, "max": 90}}));
    let before = Instant::now();
    notes(&endpoint);
    assert!(before.elapsed() >= Duration::from_millis(80));
}

#[test]
fn a_fault_can_be_aimed() {
    let dir = tempfile::tempdir().unwrap();
    let at = json!([{"method": "PUT", "path_prefix": "/notes/x", "nth": 2, "fault": "throttle"}]);
    let endpoint = start_with(dir.path(), json!({"at": at}));
    let put = |path| send(&endpoint, "PUT", path, "1").status().unwrap();
    let statuses = [put("/notes/x1"), put("/notes/y"), put("/notes/x2"), put("/notes/x3")];
    assert_eq!(statuses, [200, 200, 429, 200]);
}

#[test]
fn the_same_seed_hits_the_same_requests() {
    let hits = |seed: u64| -> Vec<Option<String>> {
        let dir = tempfile::tempdir().unwrap();
        let faults = json!({"seed": seed, "throttle": 0.2, "error_before": 0.2, "reset_after": 0.2, "late": 0.2});
        let endpoint = start_with(dir.path(), faults);
        for n in 0..40 {
            send(&endpoint, "PUT", &format!("/notes/{n}"), "1");
        }
        let name = |fault| serde_json::to_value(fault).unwrap().as_str().unwrap().to_owned();
        log(&endpoint).into_iter().map(|entry| entry.fault.map(name)).collect()
    };
    let first = hits(7);
    assert_eq!(first, hits(7));
    assert_ne!(first, hits(8));
    let kinds: std::collections::BTreeSet<_> = first.iter().flatten().collect();
    assert_eq!(kinds.len(), 4, "every kind comes up in 40 requests: {kinds:?}");
}

/// Sends a head as it stands, with this much of a body; what came back before the connection closed.
fn send_as(endpoint: &Endpoint, head: &str, body: &str) -> Raw {
    let mut stream = TcpStream::connect(endpoint.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let whole = format!("{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(whole.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    Raw(String::from_utf8(answer).unwrap())
}

#[test]
fn no_web_page_is_answered_whichever_way_it_asks() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path());
    let host = endpoint.url.trim_start_matches("http://").to_owned();
    send(&endpoint, "PUT", "/notes/a", "1");
    let marked = "x-platform-sandbox: 1\r\n";
    for (line, headers) in [
        ("POST /_sandbox/reset", format!("host: {host}\r\n{marked}origin: https://evil.example\r\n")),
        ("POST /_sandbox/reset", format!("host: {host}\r\norigin: https://evil.example\r\n")),
        ("POST /_sandbox/reset", format!("host: {host}\r\norigin: null\r\n")),
        ("POST /_sandbox/reset", format!("host: {host}\r\norigin: http://localhost:3000\r\n{marked}")),
        ("POST /_sandbox/reset", format!("host: {host}\r\nsec-fetch-site: cross-site\r\n{marked}")),
        ("POST /_sandbox/reset", format!("host: {host}\r\nsec-fetch-site: same-site\r\n{marked}")),
        ("POST /_sandbox/reset", format!("host: {host}\r\n")),
        ("POST /_sandbox/reset", format!("host: evil.example\r\n{marked}")),
        ("POST /_sandbox/reset", format!("host: 127.0.0.1.evil.example\r\n{marked}")),
        ("POST /_sandbox/reset", format!("host: {host}\r\nhost: evil.example\r\n{marked}")),
        ("POST http://evil.example/_sandbox/reset", format!("host: {host}\r\n{marked}")),
        ("GET /_sandbox/world", "host: evil.example\r\n".to_owned()),
        ("GET /_sandbox/world", format!("host: {host}\r\n")),
        ("GET /_sandbox/log", format!("host: {host}\r\n")),
        ("GET /_sandbox/health", format!("host: {host}\r\n")),
        ("GET /notes", "host: evil.example:80\r\n".to_owned()),
        ("GET /notes", format!("host: {host}\r\norigin: https://evil.example\r\n")),
        ("GET /notes", marked.to_owned()),
        ("DELETE /notes/a", format!("host: {host}\r\norigin: https://evil.example\r\n")),
        ("OPTIONS /_sandbox/reset", format!("host: {host}\r\norigin: https://evil.example\r\n")),
    ] {
        let answer = send_as(&endpoint, &format!("{line} HTTP/1.1\r\n{headers}"), "");
        assert!(matches!(answer.status(), Some(400 | 403)), "{line} {headers}: {}", answer.0);
        assert!(!answer.0.contains("notes/") && !answer.0.to_lowercase().contains("access-control"), "{}", answer.0);
    }
    assert_eq!(notes(&endpoint), ["notes/a", "notes/seeded"], "nothing was reset or deleted");
    for headers in [
        format!("host: {host}\r\n"),
        "host: localhost\r\n".to_owned(),
        "host: [::1]:80\r\n".to_owned(),
        "host: bucket.localhost:9000\r\n".to_owned(),
        format!("host: {host}\r\norigin: http://{host}\r\nsec-fetch-site: same-origin\r\n"),
        format!("host: {host}\r\nsec-fetch-site: none\r\n"),
    ] {
        assert_eq!(
            send_as(&endpoint, &format!("GET /notes HTTP/1.1\r\n{headers}"), "").status(),
            Some(200),
            "{headers}"
        );
    }
}

#[test]
#[cfg(unix)]
fn the_world_is_its_owners_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("notes");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(folder.join("requests.jsonl"), "").unwrap();
    fs::set_permissions(folder.join("requests.jsonl"), fs::Permissions::from_mode(0o666)).unwrap();
    let other = dir.path().join("other");
    fs::write(&other, "of somebody else").unwrap();
    symlink(&other, folder.join(".world.jsonl.new")).unwrap();
    let endpoint = start(dir.path());
    send(&endpoint, "PUT", "/notes/a", "1");
    drop(endpoint);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!(fs::read_to_string(other).unwrap(), "of somebody else");
}

#[test]
#[cfg(unix)]
fn a_link_or_a_pipe_in_place_of_a_file_of_its_own_is_named_and_neither_followed_nor_waited_for() {
    let refused = |name: &str, plant: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("notes")).unwrap();
        plant(&dir.path().join("notes").join(name));
        let started = attach_or_start(dir.path(), Arc::new(Notes), Options::default());
        started.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let victim = tempfile::NamedTempFile::new().unwrap();
    fs::write(victim.path(), "of somebody else").unwrap();
    for name in ["lock", "requests.jsonl"] {
        let said = refused(name, &|path| std::os::unix::fs::symlink(victim.path(), path).unwrap());
        assert!(said.contains("it is a link, which is not followed"), "{name}: {said}");
    }
    assert_eq!(fs::read_to_string(victim.path()).unwrap(), "of somebody else");
    for name in ["world.jsonl", "requests.jsonl"] {
        let said = refused(name, &|path| {
            assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        });
        assert!(said.contains("it is a pipe or a device"), "{name}: {said}");
    }
}

#[test]
fn a_body_beyond_the_bound_is_refused_and_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path());
    let connect = || {
        let stream = TcpStream::connect(endpoint.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    };
    let head = "PUT /notes/large HTTP/1.1\r\nhost: localhost\r\n";
    let mut announced = connect();
    announced.write_all(format!("{head}content-length: 3000000000\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    let _reset = announced.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("the body has more than 16 MiB"), "{answer}");
    // Without an end: it hangs up, long before 3 GB.
    let mut endless = connect();
    endless.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "1".repeat(0x10000));
    let sent = (0..48_000).take_while(|_| endless.write_all(chunk.as_bytes()).is_ok()).count();
    assert!(sent < 1_000, "{sent} chunks of 64 KiB were read");
    assert_eq!(notes(&endpoint), ["notes/seeded"]);
}

#[test]
fn what_nests_deeper_than_it_can_be_read_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path());
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(send(&endpoint, "PUT", "/notes/a", &nested(100)).status(), Some(200));
    // The service reads these, and the world's file, where they lie deeper, would not.
    for depth in [126, 127] {
        assert_eq!(send(&endpoint, "PUT", "/notes/b", &nested(depth)).status(), Some(500), "{depth}");
    }
    for depth in [128, 100_000] {
        assert_eq!(send(&endpoint, "PUT", "/notes/c", &nested(depth)).status(), Some(500), "{depth}");
    }
    drop(endpoint);
    let again = start(dir.path());
    assert_eq!(notes(&again), ["notes/a", "notes/seeded"]);
    assert_eq!(log(&again).len(), 6, "and the log can be read too");
}
