//! That the model sees each way in which the promise can be broken, and allows what the promise leaves open.

use super::*;
use crate::body;

fn seen(model: &Model, number: Number, key: u64) -> Seen {
    let message = model.message(number).unwrap();
    Seen {
        key,
        priority: message.priority,
        persistent: message.persistent,
        body: body::of(number, message.length),
    }
}

/// A model with committed messages on queue 0 and their keys.
fn with_messages(priorities: &[u8]) -> (Model, Vec<(Number, u64)>) {
    let mut model = Model::default();
    let mut all = Vec::new();
    for (i, priority) in priorities.iter().enumerate() {
        let unit = model.new_unit("A");
        let number = model.new_message(0, *priority, true, 100);
        model.putting(unit, number);
        let key = 100 + i as u64;
        model.put_answered(number, key).unwrap();
        model.committed(unit, None);
        all.push((number, key));
    }
    (model, all)
}

fn look(model: &Model, messages: &[(Number, u64)]) -> Vec<Seen> {
    messages.iter().map(|(number, key)| seen(model, *number, *key)).collect()
}

fn none() -> BTreeSet<String> {
    BTreeSet::new()
}

#[test]
fn the_truth_passes_and_each_lie_does_not() {
    let (mut model, all) = with_messages(&[5, 5, 7]);
    let right = [all[2], all[0], all[1]];
    let queue = look(&model, &right);
    model.compare(0, &queue).unwrap();
    assert_eq!(model.restarted(std::slice::from_ref(&queue), &none()).unwrap(), Settled::default());

    let lost = look(&model, &right[..2]);
    assert!(model.compare(0, &lost).unwrap_err().contains("lost"));
    assert!(model.restarted(&[lost], &none()).unwrap_err().contains("lost"));
    let reordered = look(&model, &[all[0], all[2], all[1]]);
    assert!(model.compare(0, &reordered).unwrap_err().contains("order"));
    let mut altered = queue.clone();
    altered[1].body[50] ^= 1;
    assert!(model.compare(0, &altered).unwrap_err().contains("altered"));
    let twice = look(&model, &[all[2], all[2]]);
    assert!(model.restarted(&[twice], &none()).is_err());
    let mut foreign = queue.clone();
    foreign[0].body = vec![9; 20];
    assert!(model.compare(0, &foreign).unwrap_err().contains("nobody put"));
    let mut other_key = queue;
    other_key[0].key += 1;
    assert!(model.compare(0, &other_key).is_err());
}

#[test]
fn a_committed_get_never_comes_back() {
    let (mut model, all) = with_messages(&[5, 5]);
    let unit = model.new_unit("A");
    let first = seen(&model, all[0].0, all[0].1);
    model.got(unit, 0, &first).unwrap();
    model.committed(unit, None);
    let rest = look(&model, &all[1..]);
    model.restarted(&[rest], &none()).unwrap();
    let back = look(&model, &all);
    assert!(model.restarted(&[back], &none()).is_err());
}

#[test]
fn an_unanswered_unit_is_there_wholly_or_not_at_all() {
    for (there, outcome) in [(0b11, Ok((1, 0))), (0b00, Ok((0, 1))), (0b01, Err(())), (0b10, Err(()))] {
        let (mut model, all) = with_messages(&[5]);
        let unit = model.new_unit("A");
        let mut queue = all.clone();
        for bit in 0..2 {
            let number = model.new_message(0, 5, true, 50);
            model.putting(unit, number);
            if there & (1 << bit) != 0 {
                queue.push((number, 200 + number));
            }
        }
        model.phase(unit, Phase::Committing);
        let queue = look(&model, &queue);
        let settled = model.restarted(&[queue], &none());
        match outcome {
            Ok(counts) => {
                let settled = settled.unwrap();
                assert_eq!((settled.committed, settled.backed_out), counts);
            }
            Err(()) => assert!(settled.unwrap_err().contains("in part")),
        }
    }
}

#[test]
fn a_unit_that_did_not_ask_to_commit_leaves_nothing() {
    let (mut model, all) = with_messages(&[5]);
    let unit = model.new_unit("A");
    let number = model.new_message(0, 5, true, 50);
    model.putting(unit, number);
    model.put_answered(number, 300).unwrap();
    let appeared = look(&model, &[all[0], (number, 300)]);
    assert!(model.restarted(&[appeared], &none()).unwrap_err().contains("must be Gone"));
}

#[test]
fn an_unanswered_get_explains_one_missing_message_and_only_one_it_may_have_got() {
    let (mut model, all) = with_messages(&[5, 5, 5]);
    let unit = model.new_unit("A");
    model.getting(unit, 0);
    let without_first = look(&model, &all[1..]);
    assert_eq!(model.restarted(&[without_first], &none()).unwrap().committed, 1);

    let (mut model, all) = with_messages(&[5, 5, 5]);
    let unit = model.new_unit("A");
    model.getting(unit, 0);
    let without_last = look(&model, &all[..2]);
    assert!(model.restarted(&[without_last], &none()).unwrap_err().contains("lost"));

    let (mut model, all) = with_messages(&[5, 5, 5]);
    let (one, two) = (model.new_unit("A"), model.new_unit("B"));
    model.getting(one, 0);
    model.getting(two, 0);
    let without_two = look(&model, &all[2..]);
    assert_eq!(model.restarted(&[without_two], &none()).unwrap().committed, 2);
}

#[test]
fn nonpersistent_messages_and_gets_of_them_are_gone() {
    let mut model = Model::default();
    let unit = model.new_unit("A");
    let number = model.new_message(0, 5, false, 50);
    model.putting(unit, number);
    model.put_answered(number, 5).unwrap();
    model.committed(unit, None);
    let there = look(&model, &[(number, 5)]);
    model.compare(0, &there).unwrap();
    let unit = model.new_unit("A");
    model.got(unit, 0, &there[0]).unwrap();
    model.phase(unit, Phase::Committing);
    assert!(model.restarted(&[there], &none()).unwrap_err().contains("survived"));
    model.restarted(&[Vec::new()], &none()).unwrap();
}

#[test]
fn in_doubt_units_stay_until_they_are_settled() {
    let (mut model, all) = with_messages(&[5]);
    let unit = model.new_unit("C-7");
    let first = seen(&model, all[0].0, all[0].1);
    model.got(unit, 0, &first).unwrap();
    model.phase(unit, Phase::Preparing);
    let names = BTreeSet::from(["C-7".to_owned()]);
    assert_eq!(model.restarted(&[Vec::new()], &names).unwrap().in_doubt, 1);
    assert!(model.restarted(&[Vec::new()], &none()).unwrap_err().contains("in-doubt"));
    model.backed_out(unit);
    let queue = look(&model, &all);
    model.restarted(&[queue], &none()).unwrap();
}

#[test]
fn gets_take_the_first_message_and_find_nothing_only_when_nothing_is_there() {
    let (mut model, all) = with_messages(&[5, 6]);
    let unit = model.new_unit("A");
    assert!(model.got_nothing(unit, 0).is_err());
    let second = seen(&model, all[0].0, all[0].1);
    assert!(model.got(unit, 0, &second).unwrap_err().contains("not first"));
    let first = seen(&model, all[1].0, all[1].1);
    model.got(unit, 0, &first).unwrap();
    assert!(model.got(unit, 0, &first).is_err());
    model.got(unit, 0, &second).unwrap();
    model.got_nothing(unit, 0).unwrap();
    model.phase(unit, Phase::BackingOut);
    model.quiet();
    assert_eq!(model.depth(), 2);
}

#[test]
fn keys_rise() {
    let (mut model, _) = with_messages(&[5, 5]);
    let number = model.new_message(0, 5, true, 50);
    assert!(model.put_answered(number, 101).is_err());
    model.put_answered(number, 102).unwrap();
}

/// A model in which message 1 was put at RBA 100 and got at 300, message 2 put at 200, message 3 prepared between 400 and 420 and
/// committed between 500 and 520 by the connection C-9, message 4 put at 600.
fn with_a_past() -> Model {
    let mut model = Model::default();
    let put = |model: &mut Model, rba: u64| {
        let unit = model.new_unit("A");
        let number = model.new_message(0, 5, true, 100);
        model.log_end = Rba(rba);
        model.putting(unit, number);
        model.put_answered(number, rba).unwrap();
        (unit, number)
    };
    for rba in [100, 200] {
        let (unit, _) = put(&mut model, rba);
        model.committed(unit, Some(Rba(rba)));
    }
    let unit = model.new_unit("A");
    let first = seen(&model, 1, 100);
    model.got(unit, 0, &first).unwrap();
    model.committed(unit, Some(Rba(300)));
    let (unit, _) = put(&mut model, 400);
    model.units.get_mut(&unit).unwrap().connection = "C-9".to_owned();
    model.phase(unit, Phase::Preparing);
    model.log_end = Rba(420);
    model.phase(unit, Phase::InDoubt);
    model.log_end = Rba(500);
    model.phase(unit, Phase::Resolving(true));
    model.log_end = Rba(520);
    model.committed(unit, None);
    let (unit, _) = put(&mut model, 600);
    model.committed(unit, Some(Rba(600)));
    model
}

#[test]
fn a_cut_keeps_exactly_what_was_committed_below_it() {
    let model = with_a_past();
    let at = |cut: u64, there: &[(Number, u64)], in_doubt: &BTreeSet<String>| {
        model.cut(Rba(cut)).unwrap().restarted(&[look(&model, there)], in_doubt)
    };
    let doubt = BTreeSet::from(["C-9".to_owned()]);
    let [one, two, three, four] = [(1, 100), (2, 200), (3, 400), (4, 600)];
    at(100, &[], &none()).unwrap();
    at(101, &[one], &none()).unwrap();
    at(300, &[one, two], &none()).unwrap();
    assert!(at(300, &[two], &none()).unwrap_err().contains("lost"));
    assert!(at(300, &[one, two, four], &none()).is_err(), "nothing from behind the cut");
    at(301, &[two], &none()).unwrap();
    assert!(at(301, &[one, two], &none()).is_err(), "a committed get came back");
    // Somewhere in there it was prepared.
    at(410, &[two], &none()).unwrap();
    at(410, &[two], &doubt).unwrap();
    assert!(at(450, &[two], &none()).unwrap_err().contains("in-doubt"));
    assert_eq!(at(450, &[two], &doubt).unwrap().in_doubt, 1);
    at(510, &[two], &doubt).unwrap();
    at(510, &[two, three], &none()).unwrap();
    assert!(at(520, &[two, three], &doubt).is_err(), "it ended before the cut");
    at(600, &[two, three], &none()).unwrap();
    at(601, &[two, three, four], &none()).unwrap();
}

#[test]
fn a_unit_that_nobody_was_answered_about_may_be_on_either_side_of_a_cut_behind_its_request() {
    let mut model = with_a_past();
    let unit = model.new_unit("B");
    let number = model.new_message(0, 5, true, 100);
    model.putting(unit, number);
    model.log_end = Rba(700);
    model.phase(unit, Phase::Committing);
    model.log_end = Rba(800);
    let there = look(&model, &[(2, 200), (3, 400), (4, 600), (number, 705)]);
    for (cut, wholes) in [(700, 1), (701, 2), (900, 2)] {
        let holds = |seen: &[Seen]| model.cut(Rba(cut)).unwrap().restarted(&[seen.to_vec()], &none()).is_ok();
        let passed = usize::from(holds(&there[..3])) + usize::from(holds(&there));
        assert_eq!(passed, wholes, "cut at {cut}");
    }
    // Once a restart has shown it, a cut behind all of it must show it too.
    model.restarted(std::slice::from_ref(&there), &none()).unwrap();
    assert!(model.cut(Rba(800)).unwrap().restarted(&[there[..3].to_vec()], &none()).is_err());
    model.cut(Rba(800)).unwrap().restarted(&[there], &none()).unwrap();
}

#[test]
fn at_a_cut_a_unit_in_doubt_has_again_what_others_got_from_it_later() {
    let (mut model, all) = with_messages(&[5]);
    let unit = model.new_unit("C-9");
    let first = seen(&model, all[0].0, all[0].1);
    model.got(unit, 0, &first).unwrap();
    model.log_end = Rba(400);
    model.phase(unit, Phase::Preparing);
    model.log_end = Rba(420);
    model.phase(unit, Phase::InDoubt);
    model.log_end = Rba(500);
    model.phase(unit, Phase::Resolving(false));
    let other = model.new_unit("A");
    model.got(other, 0, &first).unwrap();
    model.committed(other, Some(Rba(510)));
    model.log_end = Rba(520);
    model.backed_out(unit);
    let doubt = BTreeSet::from(["C-9".to_owned()]);
    model.cut(Rba(450)).unwrap().restarted(&[Vec::new()], &doubt).unwrap();
    assert!(model.cut(Rba(511)).unwrap().restarted(&[look(&model, &all)], &none()).is_err());
}
