//! That the model sees each way in which the promise can be broken, and allows what the promise leaves open.

use super::*;

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
        model.committed(unit);
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
    model.committed(unit);
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
    model.committed(unit);
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
