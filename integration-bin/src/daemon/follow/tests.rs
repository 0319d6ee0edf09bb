use std::io::Write as _;

use super::*;

struct Manager {
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("alerts.json")
    }

    fn write(&self, text: &str) {
        let mut file = File::options().create(true).append(true).open(self.path()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// As the manager does at midnight: the day's file keeps its inode, `alerts.json` gets a new one.
    fn rotate(&self) {
        self.rotate_to(14);
    }

    fn rotate_to(&self, day: u64) {
        let month = self.folder.path().join("2026/Mar");
        fs::create_dir_all(&month).unwrap();
        let path = month.join(format!("ossec-alerts-{day}.json"));
        fs::rename(self.path(), &path).unwrap();
        // The last alert of a day is from that day.
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(86_400 * day);
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    }
}

fn lines(follower: &mut Follower) -> Vec<String> {
    let mut lines = Vec::new();
    follower
        .poll(|line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
            true
        })
        .unwrap();
    lines
}

#[test]
fn only_whole_lines_and_all_of_them() {
    let manager = Manager::new();
    manager.write("zero\n");
    let mut follower = Follower::new(&manager.path(), None, Start::End).unwrap();
    assert!(lines(&mut follower).is_empty());
    manager.write("one\ntw");
    assert_eq!(lines(&mut follower), ["one"]);
    manager.write("o\n\nthree\n");
    assert_eq!(lines(&mut follower), ["two", "three"]);
    assert!(lines(&mut follower).is_empty());
}

#[test]
fn a_new_file_after_the_rest_of_the_old_one() {
    let manager = Manager::new();
    manager.write("one\n");
    let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
    assert_eq!(lines(&mut follower), ["one"]);
    manager.write("two\n");
    manager.rotate();
    manager.write("three\n");
    assert_eq!(lines(&mut follower), ["two", "three"]);
    assert_eq!(follower.gaps, 0);
}

#[test]
fn a_restart_goes_on_where_it_stopped_also_behind_a_rotation() {
    let manager = Manager::new();
    manager.write("one\ntwo\nthree\n");
    let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
    let mut first = Vec::new();
    follower
        .poll(|line| {
            first.push(line.to_vec());
            first.len() < 2
        })
        .unwrap();
    assert_eq!(first, [b"one".to_vec(), b"two".to_vec()]);
    let kept: Position = follower.position().to_string().parse().unwrap();
    assert_eq!(kept, follower.position());

    let mut follower = Follower::new(&manager.path(), Some(kept), Start::End).unwrap();
    assert_eq!(lines(&mut follower), ["three"]);
    let kept = follower.position();
    manager.write("four\n");
    manager.rotate();
    manager.write("five\n");
    let mut follower = Follower::new(&manager.path(), Some(kept), Start::End).unwrap();
    assert_eq!(lines(&mut follower), ["four", "five"]);
    assert_eq!(follower.gaps, 0);
}

#[test]
fn files_that_were_begun_and_ended_meanwhile_are_read_too() {
    let manager = Manager::new();
    manager.write("one\n");
    let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
    assert_eq!(lines(&mut follower), ["one"]);
    let kept = follower.position();
    manager.write("two\n");
    manager.rotate_to(14);
    for (day, text) in [(15, "three\n"), (16, "four\n")] {
        manager.write(text);
        manager.rotate_to(day);
    }
    manager.write("five\n");
    let wanted = ["two", "three", "four", "five"];
    assert_eq!((lines(&mut follower), follower.gaps), (wanted.map(str::to_owned).to_vec(), 0));
    // The same after a restart.
    let mut follower = Follower::new(&manager.path(), Some(kept), Start::End).unwrap();
    assert_eq!((lines(&mut follower), follower.gaps), (wanted.map(str::to_owned).to_vec(), 0));
    // What was compressed meanwhile cannot be read, and that is told.
    let month = manager.folder.path().join("2026/Mar");
    fs::rename(month.join("ossec-alerts-15.json"), month.join("ossec-alerts-15.json.gz")).unwrap();
    let mut follower = Follower::new(&manager.path(), Some(kept), Start::End).unwrap();
    assert_eq!(lines(&mut follower), ["two", "four", "five"]);
    assert_eq!(follower.gaps, 1);
}

#[test]
fn another_file_with_the_same_inode_is_another_file() {
    let manager = Manager::new();
    manager.write("one\ntwo\n");
    let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
    assert_eq!(lines(&mut follower).len(), 2);
    let kept: Position = follower.position().to_string().parse().unwrap();
    assert_ne!(kept.first, 0);
    manager.write("three\n");
    let mut follower = Follower::new(&manager.path(), Some(kept), Start::End).unwrap();
    assert_eq!((lines(&mut follower), follower.gaps), (vec!["three".to_owned()], 0));
    fs::write(manager.path(), "uno\ndos\ntres\ncuatro\n").unwrap();
    let mut follower = Follower::new(&manager.path(), Some(kept), Start::End).unwrap();
    assert_eq!(lines(&mut follower), ["uno", "dos", "tres", "cuatro"]);
    assert_eq!(follower.gaps, 1);
    // A position of before knows nothing of first lines.
    let old: Position = format!("{} 4", kept.inode).parse().unwrap();
    let mut follower = Follower::new(&manager.path(), Some(old), Start::End).unwrap();
    assert_eq!(lines(&mut follower), ["dos", "tres", "cuatro"]);
}

#[test]
fn a_file_that_became_shorter_or_is_gone_is_a_gap() {
    let manager = Manager::new();
    manager.write("one\ntwo\n");
    let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
    assert_eq!(lines(&mut follower).len(), 2);
    fs::write(manager.path(), "x\n").unwrap();
    assert_eq!(lines(&mut follower), ["x"]);
    assert_eq!(follower.gaps, 1);
    let gone = Position { inode: u64::MAX, offset: 7, first: 0 };
    let mut follower = Follower::new(&manager.path(), Some(gone), Start::End).unwrap();
    assert_eq!((lines(&mut follower), follower.gaps), (vec!["x".to_owned()], 1));
}

#[test]
fn a_line_without_an_end_does_not_fill_the_memory() {
    let manager = Manager::new();
    manager.write(&"x".repeat(LONGEST_LINE + PIECE + 5));
    let mut follower = Follower::new(&manager.path(), None, Start::Beginning).unwrap();
    assert!(lines(&mut follower).is_empty());
    assert!(follower.pending.len() <= LONGEST_LINE);
    manager.write("\nnext\n");
    assert_eq!((lines(&mut follower), follower.too_long), (vec!["next".to_owned()], 1));
}
