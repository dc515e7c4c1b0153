//! A program full of secrets, for the test that none of them is seen anywhere: each comes from its environment.

use std::process::ExitCode;

use platform_aws::prelude::*;
use platform_databricks::{
    compute::{BasicAuth, DockerImage, NewCluster},
    jobs::JobCluster,
    prelude::*,
};
use platform_sdk::{ToExpr as _, prelude::*};
use platform_tests::quoting::{Quoting, Thing};
use serde_json::{Value, json};

fn main() -> ExitCode {
    Program::new("secretive", platform)
        .config_file(std::env::var("SECRETIVE_CONFIG").unwrap_or_default())
        .provider(WorkspaceProvider::from_env())
        .provider(Aws::from_env())
        .provider(Quoting)
        .main()
}

fn platform(stack: &Stack) -> Result<()> {
    let password: Secret<String> = stack.config("password")?;
    let text: Secret<String> = stack.config("text")?;
    let main = stack.lookup::<Catalog>("main");

    // Fields that are secret by their mark.
    let image = || DockerImage::new("ghcr.io/acme/etl:3").basic_auth(BasicAuth::new("etl", password.clone()));
    let etl = stack.add(
        "etl",
        Cluster::new("etl", "15.4.x-scala2.12")
            .node_type_id("m6gd.large")
            .docker_image(image())
            .spark_env_vars([("TOKEN".to_owned(), password.clone())]),
    );
    let own = NewCluster::new("15.4.x-scala2.12").node_type_id("m6gd.large").docker_image(image());
    let load = Task::python("load", "/Shared/load.py").on_job_cluster("own");
    stack.add("load", Job::new("load").job_clusters([JobCluster::new("own", own)]).task(load));

    // Secrets in fields that have no such mark: where they go, they stay secret.
    let shop = stack.add("shop", Schema::new(&main, "shop").comment(interpolate!("ask with {}", text.clone())));
    let tags = [("owner".to_owned(), text.clone())];
    stack.add("landing", Bucket::new("secretive-landing").region("eu-west-1").tags(tags));
    let data = stack.add("data", Data::new(interpolate!("{} and more", text.clone()).json()));
    stack.add("again", Data::new(json!({"plain": true})).trigger(&data.output));
    if let Ok(place) = stack.config::<String>("refused") {
        // The service refuses it, and quotes it.
        stack.add("refused", Volume::external(&shop, "refused", interpolate!("s3://{}/{}", place, text.clone())));
    }

    // Secrets that are no text, in text of several lines, as a key, and beside what is not known yet.
    let port: Secret<i64> = stack.config("port")?;
    let flag: Secret<bool> = stack.config("flag")?;
    let pem: Secret<String> = stack.config("pem")?;
    stack.add("port", Data::new(interpolate!("{}", port.clone()).map(|port| port.parse::<i64>().ok()).json()));
    let flag = stack.add("flag", Data::new(Output::<Value>::from_expr(flag.to_expr())));
    stack.add("pem", Data::new(interpolate!("{}", pem.clone()).json()));
    let keyed =
        Output::text(text.clone()).map(|text| Value::Object([(text, json!({"deep": true}))].into_iter().collect()));
    stack.add("keyed", Data::new(keyed));
    stack.add("url", Data::new(interpolate!("https://app:{}@{}", text.clone(), etl.id).json()));
    stack.export("port", port);
    stack.export("flag", flag.output.map(|flag| flag == json!(true)));
    stack.export("pem", pem.clone());
    if let Ok(how) = stack.config::<String>("quoted") {
        quoted(stack, &how, &text, &pem);
    }

    stack.export("text", text);
    stack.export("made", &data.output);
    stack.export("upper", data.output.map(|value| value.to_string().to_uppercase()));
    stack.export("cluster", &etl.id);
    Ok(())
}

/// Ways in which a secret comes back, or would be told.
fn quoted(stack: &Stack, how: &str, text: &Secret<String>, pem: &Secret<String>) {
    let both = || interpolate!("{} and {}", text.clone(), pem.clone());
    match how {
        "refused" => drop(stack.add("quoted", Thing::new("quoted").text(both()))),
        "panic of a page" => drop(stack.add("quoted", Thing::new("quoted").text(both()).panics(true))),
        "panic of a function" => {
            let panicking = both().map(|text| -> String { panic!("no such colour: {text}") });
            stack.add("quoted", Data::new(panicking.json()));
        }
        "panic of the program" => panic!("no such colour: {}", text.expose()),
        "name" => drop(stack.add("quoted", Thing::new(interpolate!("x-{}", text.clone())))),
        "address" => drop(stack.add(text.expose(), Thing::new("quoted"))),
        _ => stack.export(text.expose(), true),
    }
}
