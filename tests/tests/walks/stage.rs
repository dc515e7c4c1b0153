//! The sandboxes as a stage: they count the calls of a run from its first change on, break off at one of them, and are put
//! back to what they were before.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use platform_aws::sandbox::AwsSandbox;
use platform_databricks::sandbox::DatabricksSandbox;
use platform_sdk::sandbox::{Endpoint, Options, Refusal, Request, Response, Service, World, attach_or_start};
use platform_tests::{request, told};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

/// Where a run is broken off, at its nth call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// This call and all after it are refused.
    Refused,
    /// So are all but those that say who is logged in.
    Denied,
    /// They are refused too, and for reads nothing is there yet.
    Hidden,
    /// It is carried out, and its answer is lost.
    AnswerLost,
    /// It is carried out, and the process dies before the answer is there.
    Death,
}

/// What asks who is logged in, and where.
const LOGIN: [&str; 3] = ["/scim/v2/Me", "/current-metastore-assignment", "/storage-configurations"];

/// The worlds of all services.
pub(crate) type Worlds = BTreeMap<&'static str, World>;

/// What the services of a stage share.
#[derive(Default)]
struct Course {
    now: Worlds,
    /// What a reset brings back.
    kept: Worlds,
    at: Option<(usize, Break)>,
    /// Something was changed since the counting began.
    begun: bool,
    calls: usize,
    broken: bool,
}

struct Watched {
    service: Box<dyn Service>,
    course: Arc<Mutex<Course>>,
    died: Arc<Notify>,
}

fn of(course: &Mutex<Course>) -> MutexGuard<'_, Course> {
    course.lock().expect("nobody panics while it is held")
}

impl Watched {
    /// Counts a call; what is to happen to it.
    fn count(&self, request: &Request) -> Option<Break> {
        let mut course = of(&self.course);
        course.begun |= !self.service.is_read(request);
        if !course.begun {
            return None;
        }
        course.calls += 1;
        let (nth, how) = course.at?;
        let lasts = matches!(how, Break::Refused | Break::Denied | Break::Hidden);
        let hit = course.calls == nth || (lasts && course.calls > nth);
        let spared = match how {
            Break::Denied => is_login(request),
            // Who asks how far a statement is asks for no object.
            Break::Hidden => request.path.contains("/sql/statements/"),
            Break::Refused | Break::AnswerLost | Break::Death => false,
        };
        course.broken |= hit;
        (hit && !spared).then_some(how)
    }

    fn carry_out(&self, request: &Request, world: &mut World) -> Response {
        let answer = self.service.handle(request, world);
        if answer.status < 400 {
            of(&self.course).now.insert(self.service.name(), world.clone());
        }
        answer
    }

    /// How each protocol says no.
    fn no(&self, request: &Request, absent: bool) -> Response {
        let form = request.header("content-type").is_some_and(|kind| kind.contains("form-urlencoded"));
        let (status, said) = if absent { (404, "it is not here") } else { (403, "nobody may do that now") };
        match (self.service.name(), form) {
            ("databricks", _) => {
                let code = if absent { "RESOURCE_DOES_NOT_EXIST" } else { "PERMISSION_DENIED" };
                Response::json(status, &json!({"error_code": code, "message": said}))
            }
            (_, true) => {
                let code = if absent { "NoSuchEntity" } else { "AccessDenied" };
                let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error>");
                Response::xml(status, format!("<ErrorResponse>{error}</ErrorResponse>"))
            }
            (_, false) if request.method == "HEAD" => Response::empty(status),
            (_, false) => {
                let code = if absent { "NoSuchBucket" } else { "AccessDenied" };
                Response::xml(status, format!("<Error><Code>{code}</Code><Message>{said}</Message></Error>"))
            }
        }
    }
}

fn is_login(request: &Request) -> bool {
    LOGIN.iter().any(|path| request.path.ends_with(path))
        || String::from_utf8_lossy(&request.body).contains("Action=GetCallerIdentity")
}

impl Service for Watched {
    fn name(&self) -> &'static str {
        self.service.name()
    }

    fn seed(&self, world: &mut World) {
        let mut course = of(&self.course);
        match course.kept.get(self.name()) {
            Some(kept) => {
                kept.list("").for_each(|(key, document)| world.put(key, document.clone()));
                // Numbers that were given out then are not given out again.
                let next = kept.clone().next_id();
                for _ in 1..next {
                    world.next_id();
                }
            }
            None => self.service.seed(world),
        }
        course.now.insert(self.name(), world.clone());
    }

    fn handle(&self, request: &Request, world: &mut World) -> Response {
        match self.count(request) {
            None => self.carry_out(request, world),
            Some(Break::Refused | Break::Denied) => self.no(request, false),
            Some(Break::Hidden) => self.no(request, self.service.is_read(request)),
            // What can't be written is not answered: the connection is dropped.
            Some(Break::AnswerLost) => self.carry_out(request, world).header("not a name", "x"),
            Some(Break::Death) => {
                let answer = self.carry_out(request, world);
                self.died.notify_one();
                answer
            }
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        self.service.refuse(refusal)
    }

    fn refuse_request(&self, request: &Request, refusal: Refusal) -> Response {
        self.service.refuse_request(request, refusal)
    }

    fn exports(&self, base_url: &str) -> Vec<(String, String)> {
        self.service.exports(base_url)
    }

    fn loggable_body(&self, _request: &Request) -> Option<Value> {
        None
    }

    fn is_its_name(&self, name: &str) -> bool {
        self.service.is_its_name(name)
    }

    fn is_read(&self, request: &Request) -> bool {
        self.service.is_read(request)
    }
}

/// Both sandboxes.
pub(crate) struct Stage {
    course: Arc<Mutex<Course>>,
    pub(crate) died: Arc<Notify>,
    pub(crate) environment: BTreeMap<String, String>,
    services: Vec<(&'static str, Endpoint)>,
    _folder: TempDir,
}

impl Stage {
    pub(crate) fn set_up() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (course, died) = (Arc::<Mutex<Course>>::default(), Arc::<Notify>::default());
        let mut environment = BTreeMap::new();
        let services: [Box<dyn Service>; 2] = [Box::new(DatabricksSandbox), Box::new(AwsSandbox)];
        let services = services.map(|service| {
            let watched = Arc::new(Watched { service, course: course.clone(), died: died.clone() });
            let endpoint = attach_or_start(folder.path(), watched.clone(), Options::default()).expect("it starts");
            environment.extend(watched.exports(&endpoint.url));
            (watched.name(), endpoint)
        });
        Self { course, died, environment, services: services.into(), _folder: folder }
    }

    /// A request of somebody else, which must succeed.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let headers = "authorization: Bearer sandbox\r\n";
        let (head, answer) = request(&self.services[0].1.url, headers, ("POST", path), &body.to_string());
        assert!(head.starts_with("HTTP/1.1 20"), "{path}: {head}\n{answer}");
        serde_json::from_str(&answer).expect("the answer is JSON")
    }

    /// The text of the one document that has this field.
    pub(crate) fn text(&self, field: &str) -> String {
        let worlds = self.worlds();
        let mut documents = worlds.values().flat_map(|world| world.list(""));
        documents.find_map(|(_, document)| document[field].as_str()).expect("there is one").to_owned()
    }

    pub(crate) fn worlds(&self) -> Worlds {
        of(&self.course).now.clone()
    }

    /// Puts everything back to what it was then.
    pub(crate) fn put_back(&self, worlds: &Worlds) {
        of(&self.course).kept = worlds.clone();
        for (name, endpoint) in &self.services {
            let call = ("POST", "/_sandbox/reset");
            let (head, answer) = request(&endpoint.url, "x-platform-sandbox: 1\r\n", call, "");
            assert!(head.starts_with("HTTP/1.1 200 "), "{name}: {head}\n{answer}");
        }
    }

    /// Counts from now on, and breaks off there.
    pub(crate) fn break_at(&self, at: Option<(usize, Break)>) {
        let mut course = of(&self.course);
        (course.at, course.begun, course.calls, course.broken) = (at, false, 0, false);
    }

    /// Nothing is broken any more. Whether anything was.
    pub(crate) fn mend(&self) -> bool {
        let mut course = of(&self.course);
        course.at = None;
        course.broken
    }

    /// How many calls there were since the first change.
    pub(crate) fn calls(&self) -> usize {
        of(&self.course).calls
    }

    /// What exists, without ids and times.
    pub(crate) fn told(&self) -> BTreeSet<String> {
        self.told_of(&self.worlds())
    }

    pub(crate) fn told_of(&self, worlds: &Worlds) -> BTreeSet<String> {
        let url = |name: &str| self.services.iter().find(|(service, _)| *service == name).map(|it| it.1.url.as_str());
        let of = |(name, world): (&&'static str, &World)| -> Vec<(String, Value, &str)> {
            let url = url(name).expect("each world is a service's");
            world.list("").map(|(key, document)| (format!("{name} {key}"), document.clone(), url)).collect()
        };
        let documents: Vec<_> = worlds.iter().flat_map(of).collect();
        told(documents.iter().map(|(key, document, url)| (key.as_str(), document, *url)))
    }
}

/// What tells an object from another of its name: each such fact with its value.
pub(crate) fn identities(worlds: &Worlds) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let documents = worlds.values().flat_map(|world| world.list("")).filter(|(key, _)| !key.contains("/statements/"));
    for (_, document) in documents {
        for (name, value) in document.as_object().into_iter().flatten() {
            let tells = name == "id" || name.ends_with("_id") || name.starts_with("creat") || name.starts_with("Creat");
            if tells && (value.is_number() || value.is_string()) {
                found.insert(format!("{name} {value}"));
            }
        }
    }
    found
}
