//! What can be seen to be wrong before anything is asked: with the line of the program, and all of it at once.

use platform_sdk::{Id, Program, testing::Harness};

use super::{
    support::{program, refused, settled, up},
    yard::{Door, House, Room, World},
};

platform_sdk::names! {
    /// How wide.
    pub enum Width {
        /// Narrow.
        Narrow = "NARROW",
        /// Wide.
        Wide = "WIDE",
    }
}

platform_sdk::names! {
    /// What it is made of; the service adds materials.
    pub open enum Material {
        /// Wood.
        Wood = "WOOD",
    }
}

#[test]
fn two_of_one_key_are_refused_with_the_line_whatever_their_order() {
    let world = World::default();
    for (first, second) in [(1, 2), (2, 1)] {
        let program = program(&world, move |stack| {
            let doors = [Door::new("front").width(first), Door::new("back"), Door::new("front").width(second)];
            stack.add("home", House::new("home").doors(doors));
            stack.add("shed", House::new("shed").door(Door::new("gate")).door(Door::new("gate")));
            Ok(())
        });
        let said = refused(&Harness::new(), &program);
        let home = "field `doors` of `yard:House::home` has 2 elements whose `name` is `front`: one can have it";
        assert!(said.contains(home) && said.contains("`yard:House::shed` has 2 elements"), "{said}");
        assert!(said.matches("tests/behaviour/mistakes.rs:").count() == 2, "each has its line: {said}");
    }
}

#[test]
fn doors_of_different_keys_pass() {
    let (world, harness) = (World::default(), Harness::new());
    let program = program(&world, |stack| {
        stack.add("home", House::new("home").door(Door::new("front")).door(Door::new("back")));
        Ok(())
    });
    up(&harness, &program);
    settled(&harness, &program);
}

#[test]
fn the_print_of_an_output_is_no_value() {
    let world = World::default();
    let program = program(&world, |stack| {
        let home = stack.add("home", House::new("home"));
        stack.add("copy", House::new("copy").comment(format!("like {:?}", home.serial)));
        stack.add("other", House::new("other").tags([("of", format!("{:#?}", &home.id))]));
        stack.add("room", Room::new(Id::new(format!("{:?}", home.id)), "room"));
        stack.export("text", format!("{:?}", home.serial));
        Ok(())
    });
    let said = refused(&Harness::new(), &program);
    for place in [
        "field `comment` of `yard:House::copy` holds the print of an output",
        "field `tags.of` of `yard:House::other` holds",
        "field `house` of `yard:Room::room` holds",
        "`output text` holds",
        "interpolate!",
    ] {
        assert!(said.contains(place), "{place}: {said}");
    }
    assert_eq!(said.matches("tests/behaviour/mistakes.rs:").count(), 3, "{said}");
}

#[test]
fn text_of_the_configuration_is_a_known_name_unless_the_service_adds_names() {
    let world = World::default();
    let asking = || -> Program {
        program(&world, |stack| {
            let width: Width = stack.config("width")?;
            let all: Vec<Width> = stack.config_or("widths", Vec::new())?;
            let material: Material = stack.config_or("material", Material::Wood)?;
            stack.add("home", House::new("home").comment(format!("{width} {} {material}", all.len())));
            Ok(())
        })
    };
    let with = |width: &str, widths: &str, material: &str| {
        let harness = Harness::new().with_variable("PLATFORM_CONFIG_WIDTH", width);
        let harness = harness.with_variable("PLATFORM_CONFIG_WIDTHS", widths);
        harness.with_variable("PLATFORM_CONFIG_MATERIAL", material)
    };
    up(&with("WIDE", r#"["NARROW", "WIDE"]"#, "STEEL"), &asking());
    for (harness, near) in [
        (with("WID", "[]", "WOOD"), "`WID` is no name of a `Width`; did you mean `WIDE`?"),
        (with("wide", "[]", "WOOD"), "`wide` is no name of a `Width`; did you mean `WIDE`?"),
        (with("WIDE", r#"["NARROW", "BROAD"]"#, "WOOD"), "`BROAD` is no name of a `Width` (known are `NARROW`, `WIDE`"),
    ] {
        let said = refused(&harness, &asking());
        assert!(said.contains(near) && said.contains("PLATFORM_CONFIG_WIDTH"), "{said}");
        assert!(said.contains("tests/behaviour/mistakes.rs:"), "{said}");
    }
}

#[test]
fn another_name_written_in_the_program_passes() {
    assert_eq!(Width::from("BROAD"), Width::Other("BROAD".to_owned()));
    assert_eq!(serde_json::from_str::<Width>("\"BROAD\"").expect("a name"), Width::Other("BROAD".to_owned()));
    assert_eq!("WIDE".parse::<Width>().expect("a name"), Width::Wide);
    assert_eq!("STEEL".parse::<Material>().expect("a name"), Material::Other("STEEL".to_owned()));
    let error = "BROAD".parse::<Width>().expect_err("no name").to_string();
    assert!(error.contains("`Width::Other(..)` in the program takes any"), "{error}");
}
