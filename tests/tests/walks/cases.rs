//! What is walked: a sample of every type that makes, one that changes as much of it as there are calls for, and one that
//! replaces, where that is cheap.

use platform_aws::prelude::*;
use platform_databricks::prelude::*;
use platform_sdk::prelude::*;
use platform_tests::samples::{self, Means};
use serde_json::json;

use crate::stage::Stage;

/// What the program says of the object that is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Nothing: there is only what it stands on.
    Before,
    Made,
    /// Another name, where that is a rename, and more.
    Changed,
    /// Something that can't be changed in place.
    Replaced,
}

impl Life {
    fn words(self) -> &'static str {
        if self == Self::Changed { "new words" } else { "words" }
    }

    /// The first name, or the second one once it has changed.
    fn renamed(self, [before, after]: [&'static str; 2]) -> &'static str {
        if self == Self::Changed { after } else { before }
    }

    fn isolation(self) -> Isolation {
        if self == Self::Changed { Isolation::Isolated } else { Isolation::Open }
    }

    /// The first name, or the second one of what replaces it.
    fn replaced(self, [before, after]: [&'static str; 2]) -> &'static str {
        if self == Self::Replaced { after } else { before }
    }
}

/// The ids of an account's parts that no type of ours makes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts([String; 3]);

impl Parts {
    pub(crate) fn on(stage: &Stage) -> Self {
        let made = |path: &str, body, id: &str| {
            let account = platform_databricks::sandbox::ACCOUNT_ID;
            let answer = stage.post(&format!("/api/2.0/accounts/{account}/{path}"), &body);
            answer[id].as_str().expect("an id").to_owned()
        };
        let role = json!({"sts_role": {"role_arn": "arn:aws:iam::123456789012:role/walk"}});
        let credentials = json!({"credentials_name": "walk", "aws_credentials": role});
        let bucket = json!({"storage_configuration_name": "walk", "root_bucket_info": {"bucket_name": "walk-root"}});
        let (subnets, groups) = (json!(["s-1", "s-2"]), json!(["g-1"]));
        let network =
            json!({"network_name": "walk", "vpc_id": "vpc-1", "subnet_ids": subnets, "security_group_ids": groups});
        Self([
            made("credentials", credentials, "credentials_id"),
            made("storage-configurations", bucket, "storage_configuration_id"),
            made("networks", network, "network_id"),
        ])
    }
}

/// One object that is walked.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) type_name: &'static str,
    /// Declares it as it is then, and what it stands on as it always is.
    pub(crate) declare: fn(&Stack, Life, &Parts),
    pub(crate) replaces: bool,
    /// What somebody else does to it before it is ended.
    pub(crate) meanwhile: Option<fn(&Stage)>,
}

const fn case(type_name: &'static str, declare: fn(&Stack, Life, &Parts)) -> Case {
    Case { type_name, declare, replaces: false, meanwhile: None }
}

const fn replaced(type_name: &'static str, declare: fn(&Stack, Life, &Parts)) -> Case {
    Case { type_name, declare, replaces: true, meanwhile: None }
}

pub(crate) const CASES: &[Case] = &[
    case("aws:Bucket", bucket),
    replaced("aws:Role", role),
    replaced("aws:RolePolicy", role_policy),
    case("databricks:Catalog", catalog),
    Case { meanwhile: Some(pin), ..case("databricks:Cluster", cluster) },
    case("databricks:ExternalLocation", location),
    case("databricks:Grant", grant),
    case("databricks:Job", job),
    case("databricks:MetastoreAssignment", assignment),
    replaced("databricks:Notebook", notebook),
    case("databricks:Schema", schema),
    case("databricks:SqlWarehouse", warehouse),
    case("databricks:StorageCredential", credential),
    replaced("databricks:Table", table),
    replaced("databricks:Volume", volume),
    case("databricks:Workspace", workspace),
];

const ROLE: &str = "arn:aws:iam::123456789012:role/lake";

fn bucket(stack: &Stack, life: Life, _: &Parts) {
    if life == Life::Before {
        return;
    }
    let bucket = samples::bucket("walked-lake", life.words());
    let changed = life == Life::Changed;
    let open = |bucket: Bucket| bucket.versioning(false).encryption(Encryption::sse_s3());
    let open = |bucket| open(bucket).public_access_block(PublicAccessBlock::none());
    stack.add("walked", if changed { open(bucket) } else { bucket });
}

fn trust(who: &str) -> PolicyDocument {
    let principal = Principal::aws(format!("arn:aws:iam::123456789012:{who}"));
    PolicyDocument::new([Statement::allow().principal(principal).action("sts:AssumeRole")])
}

fn role(stack: &Stack, life: Life, _: &Parts) {
    if life == Life::Before {
        return;
    }
    let role = samples::role("walked", trust(life.renamed(["root", "user/sandbox"])), life.words());
    stack.add("walked", role.path(life.replaced(["/", "/another/"])));
}

fn role_policy(stack: &Stack, life: Life, _: &Parts) {
    let role = stack.add("role", Role::new("walked", trust("root")));
    if life != Life::Before {
        let policy = PolicyDocument::new([samples::more(life.words())]);
        stack.add("walked", RolePolicy::new(&role, life.replaced(["first", "second"]), policy));
    }
}

fn credential(stack: &Stack, life: Life, _: &Parts) {
    if life != Life::Before {
        let credential = samples::credential(life.renamed(["lake", "harbour"]), ROLE, life.words());
        stack.add("walked", credential.isolation_mode(life.isolation()));
    }
}

fn location(stack: &Stack, life: Life, _: &Parts) {
    let credential = stack.add("credential", StorageCredential::aws_role("lake", ROLE));
    if life != Life::Before {
        let location = samples::location(life.renamed(["raw", "raws"]), "s3://lake/raw", &credential, life.words());
        stack.add("walked", location.isolation_mode(life.isolation()));
    }
}

fn catalog(stack: &Stack, life: Life, _: &Parts) {
    let credential = stack.add("credential", StorageCredential::aws_role("lake", ROLE));
    let raw = stack.add("raw", ExternalLocation::new("raw", "s3://lake/raw", &credential).skip_validation(true));
    if life != Life::Before {
        let catalog = samples::catalog(life.renamed(["lake", "harbour"]), life.words());
        stack.add("walked", catalog.storage_root(raw.path("lake")));
    }
}

fn schema(stack: &Stack, life: Life, _: &Parts) {
    let main = stack.lookup::<Catalog>("main");
    if life != Life::Before {
        stack.add("walked", samples::schema(&main, life.renamed(["sales", "trade"]), life.words()));
    }
}

/// Two schemas that something may live in.
fn schemas(stack: &Stack) -> [Handle<Schema>; 2] {
    let main = stack.lookup::<Catalog>("main");
    ["sales", "other"].map(|name| stack.add(name, Schema::new(&main, name)))
}

fn volume(stack: &Stack, life: Life, _: &Parts) {
    let [sales, other] = schemas(stack);
    if life != Life::Before {
        let schema = if life == Life::Replaced { &other } else { &sales };
        stack.add("walked", samples::volume(schema, life.renamed(["files", "papers"]), life.words()));
    }
}

fn table(stack: &Stack, life: Life, _: &Parts) {
    let [sales, other] = schemas(stack);
    let sql = stack.add("sql", SqlWarehouse::new("sql"));
    if life != Life::Before {
        let schema = if life == Life::Replaced { &other } else { &sales };
        let table = samples::table(schema, life.renamed(["orders", "bills"]), &sql, life.words());
        stack.add("walked", if life == Life::Changed { table.column(Column::string("note")) } else { table });
    }
}

fn grant(stack: &Stack, life: Life, _: &Parts) {
    let [sales, _] = schemas(stack);
    if life != Life::Before {
        stack.add("walked", samples::grant(&sales, life.words()));
    }
}

fn warehouse(stack: &Stack, life: Life, _: &Parts) {
    if life != Life::Before {
        stack.add("walked", samples::warehouse(life.renamed(["sql", "queries"]), life.words())).wait(true);
    }
}

fn cluster(stack: &Stack, life: Life, _: &Parts) {
    if life != Life::Before {
        stack.add("walked", samples::cluster(life.renamed(["etl", "loads"]), life.words())).wait(true);
    }
}

/// A pin keeps a cluster from being deleted.
fn pin(stage: &Stage) {
    stage.post("/api/2.1/clusters/pin", &json!({"cluster_id": stage.text("cluster_id")}));
}

fn notebook(stack: &Stack, life: Life, _: &Parts) {
    if life != Life::Before {
        let path = life.replaced(["/Shared/walked", "/Shared/another"]);
        stack.add("walked", samples::notebook(path, life.words()));
    }
}

fn job(stack: &Stack, life: Life, _: &Parts) {
    let notebook = stack.add("notebook", samples::notebook("/Shared/walked", "words"));
    let sql = stack.add("sql", SqlWarehouse::new("sql"));
    let cluster = stack.add("cluster", samples::single_node("etl", "words"));
    if life != Life::Before {
        let means = Means { notebook: &notebook, sql: &sql, cluster: &cluster };
        stack.add("walked", samples::job(life.renamed(["walked", "another"]), means, life.words()));
    }
}

fn workspace(stack: &Stack, life: Life, Parts(parts): &Parts) {
    if life != Life::Before {
        stack.add("walked", samples::workspace("walked", parts.clone(), life.words()));
    }
}

fn assignment(stack: &Stack, life: Life, Parts(parts): &Parts) {
    let metastore = stack.lookup::<Metastore>("eu-west-1");
    let workspace = stack.add("workspace", samples::workspace("walked", parts.clone(), "words"));
    if life != Life::Before {
        stack.add("walked", samples::assignment(&workspace, &metastore.id, life.words()));
    }
}
