//! What the contract promises, asked of every storage.

use std::io::ErrorKind;
use std::path::Path;

use engine_storage::{
    FaultyStorage, MemoryStorage, NameKind, OpenMode, PathError, RealStorage, SharedStorage, Storage, durable,
};

fn each(test: impl Fn(&dyn Storage, &Path)) {
    let real = tempfile::tempdir().unwrap();
    test(&RealStorage::new(), real.path());
    let memory: SharedStorage = MemoryStorage::shared();
    memory.create_dir(Path::new("root")).unwrap();
    test(memory.as_ref(), Path::new("root"));
    let faulty = FaultyStorage::new(1);
    faulty.create_dir(Path::new("/root")).unwrap();
    test(&faulty, Path::new("/root"));
}

#[test]
fn files_hold_what_was_written_where_it_was_written() {
    each(|storage, root| {
        let path = root.join("A");
        let file = storage.open(&path, OpenMode::CreateNew).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(5000, b"later").unwrap();
        file.write_at(10, b"early").unwrap();
        assert_eq!(file.len().unwrap(), 5005);
        let mut all = vec![1; 5005];
        file.read_at(0, &mut all).unwrap();
        assert_eq!(&all[10..15], b"early");
        assert_eq!(&all[5000..], b"later");
        assert!(all[15..5000].iter().all(|&b| b == 0));
        assert_eq!(file.read_at(5000, &mut [0; 6]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        file.set_len(12).unwrap();
        file.set_len(20).unwrap();
        let mut tail = [1; 20];
        file.read_at(0, &mut tail).unwrap();
        assert_eq!(&tail[10..], b"ea\0\0\0\0\0\0\0\0");
        file.sync().unwrap();
        let again = storage.open(&path, OpenMode::Read).unwrap();
        assert_eq!(again.len().unwrap(), 20);
        assert_eq!(again.identity().unwrap(), file.identity().unwrap());
        assert!(again.write_at(0, b"x").is_err());
        let other = storage.open(&root.join("B"), OpenMode::CreateNew).unwrap();
        assert_ne!(other.identity().unwrap(), file.identity().unwrap());
    });
}

#[test]
fn allocation_makes_the_file_long_and_keeps_its_bytes() {
    each(|storage, root| {
        let file = storage.open(&root.join("A"), OpenMode::CreateNew).unwrap();
        file.write_at(0, b"data").unwrap();
        file.allocate(100_000).unwrap();
        file.allocate(10).unwrap();
        file.allocate(0).unwrap();
        assert_eq!(file.len().unwrap(), 100_000);
        let mut bytes = vec![1; 100_000];
        file.read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes[..4], b"data");
        assert!(bytes[4..].iter().all(|&b| b == 0));
    });
}

#[test]
fn data_stretches_cover_all_data_and_end() {
    each(|storage, root| {
        let file = storage.open(&root.join("A"), OpenMode::CreateNew).unwrap();
        assert_eq!(file.next_data(0).unwrap(), None);
        file.set_len(1 << 20).unwrap();
        file.write_at(512 << 10, &[7; 8192]).unwrap();
        let (mut at, mut covered) = (0, 0);
        while let Some((start, end)) = file.next_data(at).unwrap() {
            assert!(start >= at && end > start && end <= 1 << 20);
            covered += end.min((512 << 10) + 8192).saturating_sub(start.max(512 << 10));
            at = end;
        }
        assert_eq!(covered, 8192);
        assert_eq!(file.next_data(1 << 20).unwrap(), None);
    });
}

#[test]
fn names_are_made_renamed_removed_and_listed_in_order() {
    each(|storage, root| {
        for name in ["C", "A", "B"] {
            storage.open(&root.join(name), OpenMode::CreateNew).unwrap();
        }
        storage.create_dir(&root.join("D")).unwrap();
        let names = |dir: &Path| -> Vec<String> {
            storage.list(dir).unwrap().iter().map(|p| p.display().to_string()).collect()
        };
        assert_eq!(names(root), ["A", "B", "C", "D"]);
        let b = storage.open(&root.join("B"), OpenMode::Read).unwrap().identity().unwrap();
        storage.rename(&root.join("B"), &root.join("A")).unwrap();
        assert_eq!(storage.open(&root.join("A"), OpenMode::Read).unwrap().identity().unwrap(), b);
        storage.rename(&root.join("C"), &root.join("D").join("C")).unwrap();
        assert_eq!(names(root), ["A", "D"]);
        assert_eq!(names(&root.join("D")), ["C"]);
        assert_eq!(storage.remove_dir(&root.join("D")).unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
        storage.rename(&root.join("D"), &root.join("E")).unwrap();
        storage.remove(&root.join("E").join("C")).unwrap();
        storage.remove_dir(&root.join("E")).unwrap();
        storage.sync_dir(root).unwrap();
        assert_eq!(names(root), ["A"]);
        assert!(storage.exists(&root.join("A")).unwrap());
        assert!(!storage.exists(&root.join("A").join("X")).unwrap());
        assert!(!storage.exists(&root.join("B")).unwrap());
    });
}

#[test]
fn a_file_that_was_removed_serves_those_who_have_it_open() {
    each(|storage, root| {
        let path = root.join("A");
        let file = storage.open(&path, OpenMode::CreateNew).unwrap();
        file.write_at(0, b"still here").unwrap();
        storage.remove(&path).unwrap();
        let mut bytes = [0; 10];
        file.read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"still here");
        assert_eq!(storage.open(&path, OpenMode::Read).map(drop).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_name_is_looked_at_without_opening_it() {
    each(|storage, root| {
        let path = root.join("A");
        assert_eq!(storage.look(&path).unwrap(), None);
        storage.open(&path, OpenMode::CreateNew).unwrap().write_at(0, b"12345").unwrap();
        let found = storage.look(&path).unwrap().unwrap();
        assert_eq!((found.kind, found.len), (NameKind::File, 5));
        assert_eq!(storage.look(&path.join("B")).unwrap(), None);
        assert_eq!(storage.look(root).unwrap().unwrap().kind, NameKind::Directory);
        let file = storage.open(&path, OpenMode::ReadNoFollow).unwrap();
        let mut bytes = [0; 5];
        file.read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"12345");
        assert!(file.write_at(0, b"x").is_err());
    });
}

#[test]
fn errors_carry_the_path_the_operation_and_the_kind() {
    each(|storage, root| {
        let path = root.join("QM1");
        storage.create_dir(&path).unwrap();
        let cases = [
            (storage.open(&root.join("X"), OpenMode::Read).map(drop), "X", ErrorKind::NotFound),
            (storage.open(&path, OpenMode::Read).map(drop), "QM1", ErrorKind::IsADirectory),
            (storage.open(&path, OpenMode::CreateNew).map(drop), "QM1", ErrorKind::AlreadyExists),
            (storage.open(&path.join("Y/Z"), OpenMode::CreateNew).map(drop), "Z", ErrorKind::NotFound),
            (storage.create_dir(&path), "QM1", ErrorKind::AlreadyExists),
            (storage.remove(&root.join("X")), "X", ErrorKind::NotFound),
            (storage.rename(&root.join("X"), &path), "X", ErrorKind::NotFound),
            (storage.list(&root.join("X")).map(drop), "X", ErrorKind::NotFound),
            (storage.sync_dir(&root.join("X")), "X", ErrorKind::NotFound),
        ];
        for (result, name, kind) in cases {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(name), "{error}");
            assert!(PathError::of(&error).is_some(), "{error}");
        }
    });
}

#[test]
fn a_lock_has_one_holder_until_it_is_dropped() {
    each(|storage, root| {
        let path = root.join("LOCK");
        let held = storage.lock(&path).unwrap().unwrap();
        assert!(storage.lock(&path).unwrap().is_none());
        assert!(storage.lock(&root.join("OTHER")).unwrap().is_some());
        drop(held);
        assert!(storage.lock(&path).unwrap().is_some());
        assert!(storage.exists(&path).unwrap());
    });
}

#[test]
fn durable_operations_do_what_they_say() {
    each(|storage, root| {
        let dir = root.join("D");
        durable::create_dir(storage, &dir).unwrap();
        let path = dir.join("F");
        durable::write_file(storage, &path, b"one").unwrap();
        // What an interrupted attempt leaves is no obstacle.
        storage.open(&durable::temporary_name(&path), OpenMode::CreateNew).unwrap();
        durable::write_file(storage, &path, b"two").unwrap();
        assert_eq!(durable::read_file(storage, &path, 100).unwrap(), b"two");
        assert_eq!(durable::read_file(storage, &path, 2).unwrap_err().kind(), ErrorKind::FileTooLarge);
        durable::rename(storage, &path, &root.join("G")).unwrap();
        assert_eq!(storage.list(&dir).unwrap().len(), 0);
        durable::remove(storage, &root.join("G")).unwrap();
        assert!(!durable::remove_if_there(storage, &root.join("G")).unwrap());
    });
}

#[test]
fn real_storage_follows_no_link_when_it_locks_or_removes_and_opens_no_fifo() {
    let dir = tempfile::tempdir().unwrap();
    let storage = RealStorage::new();
    let target = dir.path().join("target");
    durable::write_file(&storage, &target, b"kept").unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert!(storage.lock(&link).is_err());
    assert_eq!(storage.look(&link).unwrap().unwrap().kind, NameKind::Link);
    let refused = storage.open(&link, OpenMode::ReadNoFollow).map(drop).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
    assert!(storage.open(&link, OpenMode::Read).is_ok());
    assert!(storage.exists(&link).unwrap());
    storage.remove(&link).unwrap();
    assert_eq!(durable::read_file(&storage, &target, 100).unwrap(), b"kept");
    std::os::unix::fs::symlink(dir.path().join("nothing"), &link).unwrap();
    assert!(storage.exists(&link).unwrap());
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_eq!(storage.open(&fifo, OpenMode::Read).map(drop).unwrap_err().kind(), ErrorKind::InvalidInput);
}
