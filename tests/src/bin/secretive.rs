//! A program full of secrets, for the test that none of them is seen anywhere: each comes from its environment.

use std::process::ExitCode;

use platform_aws::prelude::*;
use platform_databricks::{
    compute::{BasicAuth, DockerImage, NewCluster},
    jobs::JobCluster,
    prelude::*,
};
use platform_sdk::prelude::*;
use serde_json::json;

fn main() -> ExitCode {
    Program::new("secretive", platform)
        .config_file(std::env::var("SECRETIVE_CONFIG").unwrap_or_default())
        .provider(WorkspaceProvider::from_env())
        .provider(Aws::from_env())
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

    stack.export("text", text);
    stack.export("made", &data.output);
    stack.export("upper", data.output.map(|value| value.to_string().to_uppercase()));
    stack.export("cluster", &etl.id);
    Ok(())
}
