//! Compute by name: names are not unique there, so one may mean several objects.

/// The id that was asked for, if there is such an object; else the ids of those that are called so.
pub(super) fn ids_or_names<'a>(
    asked: &str,
    all: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)> + Clone,
) -> Vec<String> {
    if all.clone().any(|(id, _)| id == Some(asked)) {
        return vec![asked.to_owned()];
    }
    all.filter(|(_, name)| *name == Some(asked)).filter_map(|(id, _)| id.map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::ids_or_names;

    #[test]
    fn an_id_goes_before_a_name_and_a_name_may_be_that_of_several() {
        let all = [("1", "etl"), ("2", "1"), ("3", "etl")];
        let meant = |asked| ids_or_names(asked, all.iter().map(|(id, name)| (Some(*id), Some(*name))));
        assert_eq!((meant("1"), meant("etl"), meant("none")), (vec!["1".into()], vec!["1".into(), "3".into()], vec![]));
    }
}
