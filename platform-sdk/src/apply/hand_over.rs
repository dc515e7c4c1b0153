//! Handing over: what gives an object to its owner comes last, and what is made before has the owner that it had.

use super::make::Making;
use crate::{
    desired::Tree,
    plan::{HandOver, Op, Sides, diff, owner_fields},
    report::Diagnostic,
    state::ResourceState,
};

impl Making<'_, '_> {
    /// What is to be made before the object is handed over. State says of the owner what is so, so that who comes after an
    /// interruption knows what is still due.
    pub(super) fn before_hand_over(&self, target: &mut ResourceState) {
        let decision = &self.run.course.decisions[self.address()];
        let (HandOver::After, Tree::Map(inputs)) = (decision.hand_over, &mut target.inputs) else { return };
        let last = self.run.live.resource(self.address());
        let seen = self.run.observed.present(self.address()).or(self.run.observed.found.get(self.address()));
        for field in owner_fields(self.node.schema) {
            let last = last.as_ref().and_then(|last| last.inputs.get(field.name));
            let seen = seen.and_then(|seen| seen.inputs.get(field.name));
            let has = match self.op {
                Op::Adopt => seen,
                Op::Update => last.map(|last| seen.unwrap_or(last)),
                _ => None,
            };
            match has {
                Some(has) => drop(inputs.insert(field.name, has.clone())),
                None => drop(inputs.remove(field.name)),
            }
        }
    }

    /// Gives the object to its owner.
    pub(super) async fn hand_over(self) -> Result<(), Diagnostic> {
        if self.run.course.decisions[self.address()].hand_over == HandOver::Alone {
            return Box::pin(self.make()).await;
        }
        let wanted = self.run.live.inputs(self.node)?;
        let Some(before) = self.run.live.resource(self.address()) else {
            return Err(self.about(Diagnostic::error(format!("`{}` is not in state any more", self.address()))));
        };
        let mut target = (*before).clone();
        if let Tree::Map(inputs) = &mut target.inputs {
            for field in owner_fields(self.node.schema) {
                inputs.extend(wanted.get(field.name).map(|owner| (field.name, owner.clone())));
            }
        }
        let sides = Sides { last: Some(&before.inputs), observed: None, desired: &target.inputs };
        let differences = diff(self.node.schema.fields(), sides);
        if differences.is_empty() {
            return Ok(());
        }
        let driver = self.driver(&target).await?;
        Box::pin(self.send_update(&driver, target, &before, &before.inputs, &differences)).await
    }
}
