//! What the page of jobs promises beyond the contract.

use serde_json::json;

use super::*;
use crate::client::scripted::{Server, json as answer};

fn inputs(fields: Value) -> Job<Resolved> {
    serde_json::from_value(fields).expect("inputs")
}

fn existing(fields: Value) -> Existing<Job> {
    Existing { id: "7".to_owned(), inputs: Some(inputs(fields)), outputs: None }
}

/// With another one: for one alone no list is asked for.
fn existing_with_another(fields: Value) -> [Existing<Job>; 2] {
    [existing(fields), Existing { id: "8".to_owned(), inputs: None, outputs: None }]
}

#[test]
fn a_python_task_brings_its_environment_unless_it_is_put_on_a_cluster() {
    let job = Job::new("j").task(Task::python("a", "/a.py")).task(Task::python("b", "/b.py"));
    assert_eq!(job.environments.len(), 1);
    let job = Job::new("j").task(Task::python("a", "/a.py").on_job_cluster("main"));
    assert!(job.environments.is_empty());
    let own = Environment::new("default").dependencies(["pandas"]);
    let job = Job::new("j").environment(own).task(Task::python("a", "/a.py"));
    assert_eq!(job.environments.len(), 1);
}

#[test]
fn what_a_task_can_not_take_is_reported() {
    use platform_sdk::{ToExpr, desired::describe};
    let shown = |task: Task| describe(&task.to_expr());
    assert!(shown(Task::notebook("a", "/a").parameters(["x"])).contains("invalid: task `a`: `parameters` is for"));
    assert!(shown(Task::python("a", "/a").warehouse(Id::new("w"))).contains("invalid: task `a`: `warehouse` is for"));
    assert!(!shown(Task::sql_file("a", "/a").named_parameters([("k", "v")])).contains("invalid"));
}

#[tokio::test]
async fn a_job_is_read_from_as_many_pages_as_it_has() {
    let page = |tasks: &str, next: &str| {
        let task = |key: &str| json!({"task_key": key, "notebook_task": {"notebook_path": "/x"}});
        let tasks: Vec<Value> = tasks.split(' ').map(task).collect();
        let parameters = [json!({"name": "p", "default": "v"})];
        let body = json!({"job_id": 7, "settings": {"name": "j", "tasks": tasks, "parameters": parameters}, "next_page_token": next});
        answer(200, &body.to_string())
    };
    let server = Server::playing([page("a b", "t1"), page("c", "t2"), page("d", "")]).await;
    let job = Job::read(&server.client(), &existing(json!({"name": "j"}))).await.expect("an answer").expect("a job");
    let keys: Vec<&str> = job.inputs.tasks.iter().map(|task| task.task_key.as_str()).collect();
    assert_eq!((keys, job.inputs.parameters.len()), (vec!["a", "b", "c", "d"], 1));
    assert_eq!(server.lines()[2], "GET /api/2.2/jobs/get?job_id=7&page_token=t2");
}

#[tokio::test]
async fn a_job_that_a_list_does_not_show_whole_is_asked_for() {
    let listed = |settings: Value| answer(200, &json!({"jobs": [{"job_id": 7, "settings": settings}]}).to_string());
    let applied = json!({"name": "j", "environments": [{"environment_key": "default"}]});
    let whole = json!({"name": "j", "environments": [{"environment_key": "default", "spec": {"client": "4"}}]});
    let server = Server::playing([listed(whole.clone())]).await;
    Job::list(&server.client(), &existing_with_another(applied.clone())).await.expect("a list");
    assert_eq!(server.lines(), ["GET /api/2.2/jobs/list?limit=100&expand_tasks=true"]);

    let got = answer(200, &json!({"job_id": 7, "run_as_user_name": "ada@x", "settings": whole}).to_string());
    let server = Server::playing([listed(json!({"name": "j"})), got]).await;
    let all = Job::list(&server.client(), &existing_with_another(applied)).await.expect("a list").expect("all");
    assert_eq!(all[0].inputs.environments[0].environment_version.as_deref(), Some("4"));
    assert_eq!(server.lines()[1], "GET /api/2.2/jobs/get?job_id=7");
}

#[tokio::test]
async fn whom_a_job_runs_as_is_asked_for_where_the_program_says_it() {
    let settings = json!({"name": "j"});
    let listed = answer(200, &json!({"jobs": [{"job_id": 7, "settings": settings}]}).to_string());
    let got = answer(200, &json!({"job_id": 7, "run_as_user_name": "bob@x", "settings": settings}).to_string());
    let server = Server::playing([listed, got]).await;
    let applied = existing_with_another(json!({"name": "j", "run_as": {"user_name": "ada@x"}}));
    let all = Job::list(&server.client(), &applied).await.expect("a list").expect("all");
    assert_eq!(all[0].inputs.run_as.as_ref().and_then(|run_as| run_as.user_name.as_deref()), Some("bob@x"));
}

#[test]
fn whom_it_runs_as_is_read_back_from_a_name() {
    let run_as = |name: &str| {
        let job = json!({"job_id": 7, "run_as_user_name": name, "settings": {"name": "j"}});
        settings::observed(&job, None).expect("understood").inputs.run_as.expect("somebody")
    };
    assert_eq!(run_as("ada@example.com").user_name.as_deref(), Some("ada@example.com"));
    assert_eq!(run_as("0c9b4e5e-7f1a").service_principal_name.as_deref(), Some("0c9b4e5e-7f1a"));
}

#[tokio::test]
async fn names_are_compared_exactly_and_marks_come_from_tags() {
    let list = r#"{"jobs": [
        {"job_id": 1, "created_time": 5, "settings": {"name": "J", "tags": {"platform-sdk-mark": "x_1"}}},
        {"job_id": 9007199254740993, "created_time": 6, "creator_user_name": "ada",
         "settings": {"name": "j", "tags": {"platform-sdk-mark": "x_2"}}}
    ]}"#;
    let server = Server::playing([answer(200, list)]).await;
    let found = Job::find(&server.client(), &inputs(json!({"name": "j"}))).await.expect("a list");
    let (mark, created_by) = (Some("x/2".to_owned()), Some("ada".to_owned()));
    assert_eq!(found, [Found { id: "9007199254740993".to_owned(), mark, created_at_ms: Some(6), created_by }]);
}

#[tokio::test]
async fn a_denied_read_is_an_error_that_says_the_job_may_be_gone() {
    let refusal = r#"{"error_code": "PERMISSION_DENIED", "message": "no"}"#;
    let server = Server::playing([answer(403, refusal)]).await;
    let error = Job::read(&server.client(), &existing(json!({"name": "j"}))).await.expect_err("denied");
    assert_eq!((&error.kind, error.message.as_str()), (&ErrorKind::Denied, "read job `j`: no"));
    assert!(error.hint.expect("a hint").ends_with("`state forget` drops it from state"));
}

#[tokio::test]
async fn an_id_that_is_no_number_is_refused_by_name() {
    let server = Server::playing([]).await;
    let import = Existing::<Job> { id: "nightly".to_owned(), inputs: None, outputs: None };
    let error = Job::read(&server.client(), &import).await.expect_err("refused");
    assert_eq!(error.message, "read job `nightly`: `nightly` is no job's id");
}
