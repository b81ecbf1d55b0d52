//! Documents read in stretches are what they are read as a whole, or are refused with the same words.

use format_inventory::{Inventory, Stretch};

/// A document of some megabytes. Names, holders and reasons have all that might be taken for the end of an entry or of the list.
fn document(logs: usize) -> String {
    let entry = |number: usize| {
        let name = ["A},", "B\\\"},\\\"", "C]}", "D\\\\", "E\\\"logs\\\":["][number % 5];
        let space = if number.is_multiple_of(3) { " \n\t" } else { "" };
        format!(
            r#"{{"name":"{name}.{number}","kind":"archive","copy":{},"history":"1","start":"{:016X}","end":"{:016X}","bytes":4096,"present":true}}{space}"#,
            number % 2 + 1,
            number * 4096,
            number * 4096 + 4095
        )
    };
    let logs: Vec<String> = (0..logs).map(entry).collect();
    format!(
        r#"{{"holds":[{{"point":"logs","reason":"\"logs\":[ }}, ]","until":null}}],"queue_manager":"QM1","histories":[{{"id":"1","parent":null,"cut":null}}],
        "logs" : [ {} ] ,"points":[],"now":{{"log_end":"00000000FFFF0000","page_sets":[]}}}}"#,
        logs.join(",\n")
    )
}

fn in_stretches(text: &str) -> (Result<Inventory<'_>, format_inventory::DocumentError>, usize) {
    let mut count = 0;
    let read = Inventory::parse_in_stretches(text.as_bytes(), |stretches| {
        count = stretches.len();
        stretches.iter().map(Stretch::read).collect()
    });
    (read, count)
}

#[test]
fn stretches_together_are_the_document() {
    for logs in [0, 1, 100, 40_000] {
        let text = document(logs);
        let (read, stretches) = in_stretches(&text);
        assert_eq!(stretches > 2, logs == 40_000, "{logs}: {stretches}");
        assert_eq!(read.unwrap(), Inventory::parse(text.as_bytes()).unwrap());
    }
}

#[test]
fn what_is_refused_is_refused_with_the_same_words() {
    let text = document(40_000);
    let middle = text.find("A},.20000").unwrap();
    let damaged = [
        text[..middle].to_owned(),
        format!("{}x{}", &text[..middle], &text[middle + 1..]).replacen("\"copy\":1", "\"copy\":3", 1),
        text.replacen("\"bytes\":4096,\"present\":true", "\"bytes\":4096", 1),
        text.replacen("},\n{\"name\":\"B", "}\n{\"name\":\"B", 1),
        text.replacen("] ,\"points\"", ", ] ,\"points\"", 1),
        text.replacen("\"logs\" : [", "\"logs\" : [],\"logs\" : [", 1),
        text.replacen("\"queue_manager\":\"QM1\"", "\"version\":7,\"queue_manager\":\"QM1\"", 1),
        text.replacen("\"points\":[]", "\"points\":[],\"more\":[]", 1),
        format!("{text}}}"),
    ];
    for (number, text) in damaged.iter().enumerate() {
        let (read, _) = in_stretches(text);
        assert!(read.is_err(), "{number} is read");
        assert_eq!(read.err(), Inventory::parse(text.as_bytes()).err(), "{number}");
    }
}
