//! Where state is when nobody says: found from wherever in the project one stands, and begun where that is said.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use serde_json::json;

use crate::{
    Data, Program,
    cli::{context::Exit, run::Process},
    report::{Printer, Style},
};

/// In a process of its own, since it has one working directory: its arguments, and where it says how it went.
const LINE: &str = "PLATFORM_TEST_LINE";
const SAID: &str = "PLATFORM_TEST_SAID";

/// The program's config file, and the place of another stack's state, if it has one.
const CONFIG: &str = "PLATFORM_TEST_CONFIG";
const OTHER: &str = "PLATFORM_TEST_OTHER";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn program() -> Program {
    let other = std::env::var(OTHER).ok();
    let program = Program::new("acme", move |stack| {
        let data = stack.add("data", Data::new(json!(1)));
        stack.export("data", &data.output);
        if let Some(other) = &other {
            let other = stack.reference("network/dev").at(other);
            stack.add("copy", Data::new(other.output::<i64>("data").json()));
        }
        Ok(())
    });
    match std::env::var(CONFIG) {
        Ok(file) => program.config_file(file),
        Err(_) => program,
    }
}

/// What the process of a command does.
#[test]
fn a_command_where_it_stands() {
    let (Ok(line), Ok(said)) = (std::env::var(LINE), std::env::var(SAID)) else { return };
    let program = if line.starts_with("network ") {
        Program::new("network", |stack| {
            let data = stack.add("data", Data::new(json!(7)));
            stack.export("data", &data.output);
            Ok(())
        })
    } else {
        program()
    };
    let environment: BTreeMap<_, _> = [("USER".to_owned(), "ana".to_owned())].into();
    let process = Process {
        line: line.split_whitespace().map(Into::into).collect(),
        environment,
        attended: false,
        signalled: false,
    };
    let streams = Captured::default();
    let (out, err) = (streams.clone(), streams.clone());
    let exit = process.run(program, move |_| Printer::new(Style::PLAIN, Box::new(out), Box::new(err)));
    let text = String::from_utf8(streams.0.lock().unwrap().clone()).unwrap();
    fs::write(said, format!("{}\n{text}", exit.code())).unwrap();
}

/// A folder for a project, outside of any other.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(project.path("src/deep")).unwrap();
        project
    }

    fn path(&self, path: &str) -> PathBuf {
        fs::canonicalize(self.0.path()).unwrap().join(path)
    }

    fn run(&self, from: &str, line: &str, environment: &[(&str, &str)]) -> (u8, String) {
        let said = self.path(".said");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["cli::tests::places::a_command_where_it_stands", "--exact"]).current_dir(self.path(from));
        command.env(LINE, if line.starts_with("network ") { line.to_owned() } else { format!("acme {line}") });
        command.env(SAID, &said).envs(environment.iter().copied());
        assert!(command.output().unwrap().status.success());
        let text = fs::read_to_string(&said).unwrap();
        let (code, said) = text.split_once('\n').unwrap();
        (code.parse().unwrap(), said.replace(&self.path("").display().to_string(), "<project>/"))
    }

    fn done(&self, from: &str, line: &str, environment: &[(&str, &str)]) -> String {
        let (code, said) = self.run(from, line, environment);
        assert_eq!(code, Exit::Done.code(), "{line} in `{from}`: {said}");
        said
    }

    /// The folders called `.platform` in it.
    fn states(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().is_some_and(|name| name == ".platform") {
                    found.push(path.strip_prefix(self.path("")).unwrap().display().to_string());
                } else if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

#[test]
fn a_stack_is_the_same_from_every_folder_of_its_project() {
    let project = Project::new();
    let said = project.done("", "up --yes", &[]);
    assert!(said.contains("state of `acme/dev` begins in <project>/.platform\n"), "{said}");
    for from in ["src", "src/deep", ""] {
        let said = project.done(from, "up --yes", &[]);
        assert!(said.contains("No changes") && !said.contains("begins in"), "{from}: {said}");
        assert_eq!(project.done(from, "output data", &[]), "1\n");
    }
    assert_eq!(project.states(), [".platform"]);
}

#[test]
fn the_nearest_that_holds_the_project_is_meant_and_another_projects_is_not() {
    let project = Project::new();
    project.done("", "up --yes", &[]);
    fs::create_dir_all(project.path("src/.platform/sandbox")).unwrap();
    project.done("src", "network up --yes --state .platform", &[]);
    assert!(project.done("src/deep", "up --yes", &[]).contains("No changes"));
    fs::rename(project.path("src/.platform/network"), project.path("src/.platform/acme")).unwrap();
    let (code, said) = project.run("src/deep", "plan", &[]);
    assert!(code == 1 && said.contains("<project>/src/.platform/acme"), "one that holds it is, be it damaged: {said}");
}

#[test]
fn where_there_is_none_it_begins_beside_the_config_file_else_here() {
    let project = Project::new();
    fs::write(project.path("src/acme.toml"), "[default]\n").unwrap();
    let config = [(CONFIG, "src/acme.toml")];
    let said = project.done("src/deep", "up --yes", &config);
    assert!(said.contains("begins in <project>/src/.platform\n"), "{said}");
    assert_eq!(project.states(), ["src/.platform"]);
    assert!(project.done("", "up --yes", &config).contains("No changes"), "from above, too");
    let other = Project::new();
    let said = other.done("src/deep", "up --yes", &[]);
    assert!(said.contains("begins in <project>/src/deep/.platform\n"), "{said}");
    assert_eq!(other.states(), ["src/deep/.platform"]);
    other.done("src", "plan", &[]);
    assert_eq!(other.states(), ["src/deep/.platform"], "a plan makes none");
}

#[test]
fn a_place_that_a_program_names_is_one_in_its_project_from_every_folder() {
    let project = Project::new();
    project.done("", "network up --yes --state elsewhere", &[]);
    let other = [(OTHER, "elsewhere")];
    project.done("", "up --yes", &other);
    for from in ["", "src", "src/deep"] {
        assert!(project.done(from, "plan", &other).contains("No changes"), "{from}");
    }
}

#[cfg(unix)]
#[test]
fn state_that_somebody_else_has_put_above_is_not_taken_for_ours() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let project = Project::new();
    project.done("", "up --yes", &[]);
    let nobody = |path: &Path| std::os::unix::fs::chown(path, Some(65534), None).unwrap();
    nobody(&project.path(".platform"));
    let (code, said) = project.run("src", "up --yes", &[]);
    assert!(code == 1 && said.contains("`<project>/.platform` belongs to somebody else"), "{said}");
    project.done("src", "up --yes --state ../.platform", &[]);
    project.done("", "up --yes", &[]);
    nobody(&project.path("src"));
    project.done("src", "up --yes", &[]);
    assert_eq!(project.states(), [".platform"]);
}
