//! What a plan says of a field that the program takes away happens: where it says that it goes back to its default, or to
//! nothing, a call brings that about; where it says that it stays as it is, there is nothing to be called.

use platform_sdk::{
    apply::with_defaults,
    desired::Tree,
    plan::{ChangeKind, Difference, Sides, Verdict, diff},
    testing::taken_away,
};

use crate::{clauses::Stage, page::Page};

pub(crate) async fn what_is_said_happens(page: &Page) {
    let stage = Stage::of(page).await;
    let schema = stage.driver.schema();
    let (fields, applied) = (schema.fields(), Tree::from(stage.page.inputs.clone()));
    for without in taken_away(fields, &stage.page.inputs) {
        if schema.validate.is_some_and(|validate| !validate(&without).is_empty()) {
            continue;
        }
        let made = stage.create().await;
        let wanted = Tree::from(without.clone());
        let differences =
            |seen: &Tree| diff(fields, Sides { last: Some(&applied), observed: Some(seen), desired: &wanted });
        let there = stage.driver.read(&made).await.expect("it can be read").expect("it is there").inputs;
        let planned = differences(&there);
        let paths = |of: &dyn Fn(&&Difference) -> bool| -> Vec<String> {
            planned.iter().filter(of).map(|difference| difference.path.to_string()).collect()
        };
        let released = |difference: &&Difference| difference.verdict == Verdict::Released;
        let changed = |difference: &&Difference| !released(difference);
        let said = planned.iter().filter(changed).all(|difference| difference.kind != ChangeKind::Release);
        assert!(said, "a call of what stays as it is: {planned:#?}");
        let mut now = made.clone();
        let replaced = planned.iter().any(|difference| difference.verdict > Verdict::LosesData);
        if !replaced && planned.iter().any(|difference| changed(&difference)) {
            let after = with_defaults(&wanted, fields).plain().expect("all of it is known");
            now = stage.update(&made, &after, &paths(&changed)).await;
            let there = stage.driver.read(&now).await.expect("it can be read").expect("it is there").inputs;
            // What another object fills in anew, it does as it likes.
            let as_before =
                |left: &Difference| planned.iter().any(|was| was.path == left.path && was.before == left.before);
            let mut left = differences(&there);
            left.retain(|left| changed(&left) && (left.after.is_some() || as_before(left)));
            assert!(left.is_empty(), "{without}: it was said that these go: {left:#?}");
        }
        stage.driver.delete(&stage.ctx, &now, false).await.expect("it is deleted");
    }
}
