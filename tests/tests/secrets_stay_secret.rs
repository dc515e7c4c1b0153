//! Secrets: canaries in every secret field and login, as text, as a number, a boolean and a key, and a walk over every verb
//! that sees none of them in any output, log, saved plan, report, request log or file of the state, plain or encoded.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose};
use platform_aws::{Aws, sandbox::AwsSandbox};
use platform_databricks::{
    AccountProvider, WorkspaceProvider,
    sandbox::{CLIENT_ID, CLIENT_SECRET, DatabricksSandbox},
};
use platform_sdk::{
    Field, Provider as _, Shape,
    sandbox::{Endpoint, Faults, Options, Service, Span, attach_or_start},
};
use platform_tests::{request, root};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The program of `src/bin/secretive.rs`.
const SECRETIVE: &str = env!("CARGO_BIN_EXE_secretive");

/// Logins, and values of the program's configuration. Each has letters that JSON, URLs and base64 write otherwise.
const TOKEN: &str = "dapi-canary/1+token";
const AWS_SECRET: &str = "aws/canary+3secret";
const AWS_SESSION: &str = "sandbox/canary/AROACANARY/session/9999999999999";
const PASSWORD: &str = "canary \"5\" pass/word+é";
const TEXT: &str = "canary-6 text/+=@";
const PASSPHRASE: &str = "canary-7 passphrase";
const PORT: &str = "8675309187";
/// The lines of a key, which a service may quote one by one.
const LINES: [&str; 2] = ["MIIcanary8QIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQcanary9D4n5Zq0eH1a"];

/// Every way in which these bytes may stand in a file.
fn writings(canary: &str) -> BTreeSet<Vec<u8>> {
    let mut all: BTreeSet<Vec<u8>> = [canary.as_bytes().to_vec(), canary.to_uppercase().into_bytes()].into();
    let json = json!(canary).to_string();
    all.insert(json.trim_matches('"').as_bytes().to_vec());
    all.insert(json!(json).to_string().trim_matches('"').as_bytes().to_vec());
    let encoded: String = canary
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    all.insert(encoded.replace("%20", "+").into_bytes());
    all.insert(encoded.into_bytes());
    all.insert(canary.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
    for alphabet in [general_purpose::STANDARD, general_purpose::URL_SAFE] {
        // What stands before it shifts the encoding by none, one or two bytes; the middle is the canary's alone.
        for before in 0..3 {
            let text = alphabet.encode([vec![b'x'; before], canary.as_bytes().to_vec()].concat());
            all.insert(text.as_bytes()[4..text.len() - 4].to_vec());
        }
    }
    all
}

/// What must not stand anywhere.
struct Canaries(Vec<(&'static str, BTreeSet<Vec<u8>>)>);

impl Canaries {
    fn all() -> Self {
        let all = [TOKEN, CLIENT_SECRET, AWS_SECRET, AWS_SESSION, PASSWORD, TEXT, PASSPHRASE, PORT];
        Self(all.iter().chain(&LINES).map(|canary| (*canary, writings(canary))).collect())
    }

    #[track_caller]
    fn absent_from(&self, place: &str, bytes: &[u8]) {
        for (canary, writings) in &self.0 {
            for writing in writings {
                if let Some(at) = bytes.windows(writing.len()).position(|window| window == writing) {
                    let around = &bytes[at.saturating_sub(80)..(at + writing.len() + 20).min(bytes.len())];
                    panic!("`{canary}` stands in {place}: …{}…", String::from_utf8_lossy(around));
                }
            }
        }
    }

    #[track_caller]
    fn absent_from_files(&self, folder: &Path) -> usize {
        let mut seen = 0;
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                seen += self.absent_from_files(&path);
            } else {
                self.absent_from(&path.display().to_string(), &fs::read(&path).expect("the file can be read"));
                seen += 1;
            }
        }
        seen
    }
}

/// State, files and services of one walk.
struct Walk {
    folder: TempDir,
    services: Vec<(&'static str, Endpoint, TempDir)>,
    client: bool,
    /// The verbs that were run: `plan`, `state show`.
    verbs: RefCell<BTreeSet<String>>,
}

/// The verb of a command line, with that below it.
fn verb(arguments: &[&str]) -> String {
    let words: Vec<&str> = arguments.iter().copied().take_while(|word| !word.starts_with('-')).collect();
    let length = if matches!(words.first(), Some(&("state" | "config"))) { 2 } else { 1 };
    words.into_iter().take(length).collect::<Vec<_>>().join(" ")
}

/// Every verb that the program has, as its help lists them.
fn all_verbs() -> BTreeSet<String> {
    let listed = |above: &[&str]| -> Vec<String> {
        let help = Command::new(SECRETIVE).args(above).arg("--help").output().expect("the program starts").stdout;
        let help = String::from_utf8(help).expect("text");
        let (_, list) = help.split_once("Commands:\n").expect("verbs");
        let lines = list.lines().take_while(|line| !line.is_empty());
        // What a verb's line goes on with stands further in.
        let named = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
        named.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
    };
    let below = |verb: String| match verb.as_str() {
        "state" | "config" => listed(&[&verb]).into_iter().map(|below| format!("{verb} {below}")).collect(),
        _ => vec![verb],
    };
    listed(&[]).into_iter().flat_map(below).collect()
}

struct Ran {
    code: Option<i32>,
    said: Vec<u8>,
}

impl Walk {
    fn begin() -> Self {
        let start = |service: Arc<dyn Service>, name| {
            let worlds = tempfile::tempdir().expect("a temporary folder");
            // So that a run takes long enough to be killed.
            let faults = Faults { latency_ms: Some(Span { min: 5, max: 10 }), ..Faults::default() };
            let options = Options { faults };
            let endpoint = attach_or_start(worlds.path(), service, options).expect("the sandbox starts");
            (name, endpoint, worlds)
        };
        let services = vec![start(Arc::new(DatabricksSandbox), "databricks"), start(Arc::new(AwsSandbox), "aws")];
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("config.toml"), "[default]\n").expect("the config file is written");
        Self { folder, services, client: false, verbs: RefCell::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.verbs.borrow_mut().insert(verb(arguments));
        let mut command = Command::new(SECRETIVE);
        command.env_clear().current_dir(root()).args(arguments).arg("--state").arg(self.path("state"));
        let [databricks, aws] = [0, 1].map(|n: usize| self.services[n].1.url.as_str());
        command.envs([
            ("HOME", self.folder.path().to_str().expect("text")),
            ("DATABRICKS_HOST", databricks),
            ("AWS_ENDPOINT_URL", aws),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIASANDBOX000000000"),
            ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
            ("AWS_SESSION_TOKEN", AWS_SESSION),
            ("PLATFORM_PASSPHRASE", PASSPHRASE),
            ("SECRETIVE_CONFIG", self.path("config.toml").to_str().expect("text")),
        ]);
        if self.client {
            command.envs([("DATABRICKS_CLIENT_ID", CLIENT_ID), ("DATABRICKS_CLIENT_SECRET", CLIENT_SECRET)]);
        } else {
            command.env("DATABRICKS_TOKEN", TOKEN);
        }
        command
    }

    /// Runs it, and sees no canary in what it says.
    #[track_caller]
    fn run(&self, canaries: &Canaries, arguments: &[&str]) -> Ran {
        self.run_with(canaries, &[], arguments)
    }

    #[track_caller]
    fn run_with(&self, canaries: &Canaries, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let output = self.command(arguments).envs(variables.iter().copied()).output().expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        canaries.absent_from(&arguments.join(" "), &said);
        Ran { code: output.status.code(), said }
    }

    #[track_caller]
    fn done(&self, canaries: &Canaries, arguments: &[&str]) -> String {
        let ran = self.run(canaries, arguments);
        let said = String::from_utf8_lossy(&ran.said).into_owned();
        assert!(matches!(ran.code, Some(0 | 2)), "{arguments:?}: {said}");
        said
    }

    /// Services, pages and functions that quote what they were given, and names that would tell it.
    #[track_caller]
    fn quotes(&self, canaries: &Canaries) {
        for how in QUOTED {
            for format in [&[][..], &["--json"], &["-vvv"]] {
                let quoted = [("PLATFORM_CONFIG_QUOTED", how)];
                let ran = self.run_with(canaries, &quoted, &[&["up", "--yes"][..], format].concat());
                let said = String::from_utf8_lossy(&ran.said).into_owned();
                assert_eq!(ran.code, Some(1), "{how}: {said}");
                assert!(said.contains("secret"), "{how}: {said}");
            }
        }
        self.done(canaries, &["up", "--yes"]);
    }

    /// What a runner sees that can decrypt nothing.
    #[track_caller]
    fn without_the_key(&self, canaries: &Canaries) {
        for verb in [&["plan"][..], &["drift"], &["output"], &["state", "show"], &["graph"]] {
            for format in [&[][..], &["--json"], &["-vvv"]] {
                let ran = self.run_with(canaries, &[("PLATFORM_PASSPHRASE", "")], &[verb, format].concat());
                assert_eq!(ran.code, Some(0), "{verb:?}: {}", String::from_utf8_lossy(&ran.said));
            }
        }
    }

    /// Copies, addresses and keys.
    #[track_caller]
    fn takes_state_elsewhere(&self, canaries: &Canaries, export: &str) {
        self.done(canaries, &["config", "rotate-key"]);
        self.done(canaries, &["state", "import", export, "--yes"]);
        self.done(canaries, &["state", "copy-to", &self.path("copy").display().to_string()]);
        self.done(canaries, &["state", "mv", "platform:Data::pem", "platform:Data::moved"]);
        self.done(canaries, &["state", "mv", "platform:Data::moved", "platform:Data::pem"]);
        self.done(canaries, &["state", "unlock", "nobody"]);
        self.done(canaries, &["state", "forget", "databricks:Schema::shop", "--yes"]);
        let printed = self.done(canaries, &["import", "databricks:Schema::shop", "main.shop"]);
        assert!(printed.contains("config_secret("), "the comment is asked of the configuration: {printed}");
        self.done(canaries, &["state", "prune", "--keep", "1", "--yes"]);
        self.done(canaries, &["state", "forget", "databricks:Job::load", "--yes"]);
    }

    /// A boolean has no letters of its own: that it is sealed or hidden shows in the place where it would stand.
    #[track_caller]
    fn flag_is_hidden(&self) {
        let said = |arguments: &[&str]| {
            let output = self.command(arguments).output().expect("the program starts");
            let mut objects = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
            objects.next().expect("an object").expect("JSON")
        };
        let shown = said(&["state", "show", "platform:Data::flag", "--json"]);
        assert_eq!((&shown["inputs"]["input"], &shown["outputs"]["output"]), (&json!("[secret]"), &json!("[secret]")));
        let output = said(&["output", "flag", "--json"]);
        assert_eq!((&output["value"], &output["secret"]), (&json!("[secret]"), &json!(true)));
        let exported = said(&["state", "export"]);
        assert!(exported["exports"]["flag"]["$sealed"].is_string(), "{exported}");
        assert!(exported["resources"]["platform:Data::flag"]["in"]["input"]["$sealed"].is_string(), "{exported}");
    }

    /// The verb that ends only when it is told to.
    #[track_caller]
    fn serves_the_sandbox(&self, canaries: &Canaries) {
        let mut serving = self.command(&["sandbox", "-vvv"]);
        let mut serving = serving.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut said = String::new();
        let mut out = BufReader::new(serving.stdout.take().expect("its output"));
        out.read_line(&mut said).expect("it says where it serves");
        serving.kill().expect("it can be killed");
        let rest = serving.wait_with_output().expect("it ends");
        canaries.absent_from("sandbox", &[said.as_bytes(), &rest.stdout, &rest.stderr].concat());
        assert!(!said.is_empty(), "it serves");
    }

    /// A change of somebody else.
    fn behind_its_back(&self, method: &str, path: &str, body: &serde_json::Value) {
        let login = "authorization: Bearer x\r\n";
        let (head, answer) = request(&self.services[0].1.url, login, (method, path), &body.to_string());
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}\n{answer}");
    }
}

/// What the program does with its secrets where it is asked to.
const QUOTED: [&str; 7] = [
    "refused",
    "panic of a page",
    "panic of a function",
    "panic of the program",
    "name",
    "address",
    "name of an output",
];

#[test]
fn no_secret_is_seen_anywhere_but_where_it_is_asked_for() {
    let canaries = Canaries::all();
    let mut walk = Walk::begin();

    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", LINES.join("\n"));
    for (key, value) in [("password", PASSWORD), ("text", TEXT), ("port", PORT), ("flag", "true"), ("pem", &pem)] {
        walk.done(&canaries, &["config", "set", "--secret", key, value]);
    }
    walk.done(&canaries, &["config", "list"]);
    walk.done(&canaries, &["config", "get", "text"]);
    walk.done(&canaries, &["config", "list", "--json"]);

    // Before, while and after it is made.
    for format in ["", "--json", "-vvv"] {
        let with = |arguments: &[&'static str]| [arguments, &[format][..usize::from(!format.is_empty())]].concat();
        walk.done(&canaries, &with(&["plan"]));
    }
    let up = walk.done(&canaries, &["up", "--yes", "-vvv"]);
    for (service, asked) in [("databricks", "method=POST path=/api/"), ("aws", "operation=S3.CreateBucket method=PUT")]
    {
        let told = |line: &str| line.contains(asked) && line.contains(" status=200 ms=");
        assert!(up.lines().any(told), "-v tells of requests to {service}: {up}");
    }
    let plan = walk.path("plan.json").display().to_string();
    let (markdown, html) = (walk.path("plan.md").display().to_string(), walk.path("plan.html").display().to_string());

    // Changes, which show what was and what will be.
    walk.behind_its_back("PATCH", "/api/2.1/unity-catalog/schemas/main.shop", &json!({"comment": "by hand"}));
    for format in [&[][..], &["--json"], &["-vvv"]] {
        for verb in [&["plan"][..], &["drift"], &["plan", "--offline", "--replace", "platform:Data::data"]] {
            walk.done(&canaries, &[verb, format].concat());
        }
    }
    walk.done(&canaries, &["plan", "--out", &plan, "--report", &markdown]);
    walk.done(&canaries, &["plan", "--report", &html]);
    walk.done(&canaries, &["up", "--plan", &plan, "--yes", "--json"]);
    walk.behind_its_back("PATCH", "/api/2.1/unity-catalog/schemas/main.shop", &json!({"comment": "by hand"}));
    walk.done(&canaries, &["drift", "--accept"]);

    walk.quotes(&canaries);
    walk.flag_is_hidden();
    walk.without_the_key(&canaries);

    // A service that refuses, and quotes what it was sent.
    let refused = [("PLATFORM_CONFIG_REFUSED", "elsewhere")];
    for format in [&[][..], &["--json"], &["-vvv"]] {
        let ran = walk.run_with(&canaries, &refused, &[&["up", "--yes"][..], format].concat());
        assert_eq!(ran.code, Some(1), "{}", String::from_utf8_lossy(&ran.said));
    }

    // A run that is killed while it works.
    let before = journals(&walk.path("state"));
    let mut killed = walk.command(&["destroy", "--yes", "--allow-data-loss", "all"]);
    let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(20) && journals(&walk.path("state")) == before {
        thread::sleep(Duration::from_millis(2));
    }
    killed.kill().expect("it can be killed");
    let ended = killed.wait().expect("it ends");
    assert!(ended.code().is_none(), "it was killed before it was done: {ended}");
    assert!(journals(&walk.path("state")) != before, "it had begun to work");
    assert!(canaries.absent_from_files(&walk.path("state")) > 3, "the state has files");
    walk.client = true;
    walk.done(&canaries, &["up", "--yes", "--json", "-vvv"]);

    // What looks at state, and at the rest.
    let address = "databricks:Cluster::etl";
    let export = walk.path("export.json").display().to_string();
    for verb in [
        &["state", "list"][..],
        &["state", "show", address],
        &["state", "show", "platform:Data::data"],
        &["state", "show", "databricks:Schema::shop"],
        &["state", "repair", "--yes"],
        &["history"],
        &["output"],
        &["output", "made"],
        &["graph"],
        &["graph", "--format", "dot"],
        &["doctor"],
        &["stack", "list"],
        &["rollback", "1", "--yes"],
    ] {
        for format in [&[][..], &["--json"], &["-vvv"]] {
            walk.done(&canaries, &[verb, format].concat());
        }
    }
    let exported = walk.done(&canaries, &["state", "export"]);
    fs::write(&export, exported).expect("the export is kept");
    walk.done(&canaries, &["state", "rotate-key", "--re-encrypt"]);
    walk.takes_state_elsewhere(&canaries, &export);
    walk.serves_the_sandbox(&canaries);

    // Asked for, it is shown.
    let shown = walk.command(&["output", "--show-secrets"]).output().expect("the program starts");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("canary-6"), "{shown:?}");

    walk.done(&canaries, &["destroy", "--yes", "--allow-data-loss", "all", "--json", "-vvv"]);
    assert!(canaries.absent_from_files(walk.folder.path()) > 10, "the walk left files");
    let ran = walk.verbs.borrow().clone();
    assert_eq!(all_verbs().difference(&ran).collect::<Vec<_>>(), [""; 0], "verbs that the walk does not run");
    for (name, _, worlds) in &walk.services {
        let log = fs::read(worlds.path().join(name).join("requests.jsonl")).expect("the request log");
        let log = String::from_utf8(log).expect("text");
        assert!(log.lines().count() > 10, "{name}: {log}");
        // What no field's name tells is no secret to a service: the comment, the tag and the place are in its log.
        let only_marked = Canaries(canaries.0.iter().filter(|(canary, _)| *canary != TEXT).map(Clone::clone).collect());
        only_marked.absent_from(&format!("the request log of {name}"), log.as_bytes());
    }
}

/// The parts of all journals, with their lengths.
fn journals(folder: &Path) -> BTreeSet<(PathBuf, u64)> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    let of = |entry: fs::DirEntry| {
        let path = entry.path();
        if path.is_dir() {
            return journals(&path);
        }
        let is_journal = path.components().any(|part| part.as_os_str() == "journal");
        let length = entry.metadata().map_or(0, |metadata| metadata.len());
        if is_journal { [(path, length)].into() } else { BTreeSet::new() }
    };
    entries.flatten().flat_map(of).collect()
}

#[test]
fn the_program_of_the_walk_fills_every_field_that_is_marked_secret() {
    let connectors = [
        WorkspaceProvider::from_env().connector(),
        AccountProvider::from_env().connector(),
        Aws::from_env().connector(),
    ];
    let mut marked = BTreeSet::new();
    for schema in connectors.iter().flat_map(|connector| connector.schemas()) {
        secret_fields(schema.type_name, schema.fields(), &mut marked);
        let outputs = schema.outputs.iter().filter(|output| output.secret);
        marked.extend(outputs.map(|output| format!("{} -> {}", schema.type_name, output.name)));
    }
    let filled = [
        "databricks:Cluster.docker_image.basic_auth.password",
        "databricks:Job.job_clusters.new_cluster.docker_image.basic_auth.password",
    ];
    assert_eq!(marked.iter().map(String::as_str).collect::<Vec<_>>(), filled);
}

fn secret_fields(above: &str, fields: &[Field], found: &mut BTreeSet<String>) {
    for field in fields {
        let path = format!("{above}.{}", field.name);
        if field.secret {
            found.insert(path.clone());
        }
        match field.shape {
            Shape::Leaf => {}
            Shape::Block(fields) | Shape::Blocks(fields) | Shape::BlockMap(fields) => {
                secret_fields(&path, fields(), found);
            }
        }
    }
}
