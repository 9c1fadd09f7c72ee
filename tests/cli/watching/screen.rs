//! `train --tui`, on a terminal of its own: what it shows while it trains, and that the terminal is given back whatever ends it.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::program::{checkpoint, command, gpu_ae, small_mnist, succeed};

/// What a terminal is told to show another screen, and to show the first one again.
const SCREEN: [&str; 2] = ["\u{1b}[?1049h", "\u{1b}[?1049l"];
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What ends a run, how that is done, and the exit code.
type Way = (&'static str, fn(&mut OnTerminal), i32);

/// The program on a terminal, and all that it has written there.
struct OnTerminal {
    child: Child,
    terminal: File,
    written: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl OnTerminal {
    fn start(arguments: &[&str], [columns, rows]: [u16; 2]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        tcsetwinsize(&terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let end = || File::options().read(true).write(true).open(&name).unwrap();
        let mut program = command(arguments);
        program.env("COLORTERM", "truecolor").env_remove("NO_COLOR").stdin(end()).stdout(end()).stderr(end());
        let child = program.spawn().unwrap();
        // Its ends are the child's alone, so that reading ends with it.
        drop(program);
        let terminal = File::from(terminal);
        let (mut source, written) = (terminal.try_clone().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let target = Arc::clone(&written);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut bytes) {
                target.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        OnTerminal { child, terminal, written, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Waits until this was written.
    fn wait_for(&self, what: &str) {
        let begin = Instant::now();
        while !self.text().contains(what) {
            assert!(begin.elapsed() < PATIENCE, "no {what:?} in {:?}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn press(&mut self, key: &[u8]) {
        self.terminal.write_all(key).unwrap();
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; the exit code, what was written while the run had the screen, and what afterwards.
    fn end(mut self) -> (Option<i32>, String, String) {
        let status = self.child.wait().unwrap();
        let modes = tcgetattr(&self.terminal).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), "{modes:?}");
        self.reader.join().unwrap();
        let text = String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned();
        let counts = SCREEN.map(|code| text.matches(code).count());
        assert_eq!(counts, [1, 1], "the screen was taken and given back so often: {text:?}");
        let (_, screen) = text.split_once(SCREEN[0]).unwrap();
        let (screen, after) = screen.split_once(SCREEN[1]).unwrap();
        assert!(after.contains("\u{1b}[?25h"), "the cursor is hidden: {after:?}");
        (status.code(), screen.to_string(), after.to_string())
    }
}

#[test]
fn a_run_has_the_screen_while_it_trains_and_leaves_its_lines() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let [seen, plain] = ["seen", "plain"].map(|name| folder.path().join(name).to_str().unwrap().to_string());
    let fixed = ["train", "--data", "mnist", "--data-dir", data.path().to_str().unwrap(), "--device", "cpu"];
    let fixed = [&fixed[..], &["--epochs", "4", "--set", "optimiser.average=0.9"]].concat();
    let run = OnTerminal::start(&[&fixed[..], &["--tui", "--out", &seen]].concat(), [80, 24]);
    let (code, screen, after) = run.end();
    assert_eq!(code, Some(0), "{after}");
    // What is free between words may be left as it is.
    assert!(screen.contains("reconstructions") && screen.contains("samples/s") && screen.contains('▀'), "{screen:?}");
    assert!(!screen.contains("run directory:"), "{screen:?}");
    let told = ["first step ", "epoch 1/4  ", "epoch 4/4  ", "run directory: "].map(|line| after.find(line));
    assert!(told.iter().all(Option::is_some) && told.is_sorted(), "{told:?} in {after}");

    // Where results go to no terminal, the flag is as good as none.
    let piped = succeed(&[&fixed[..], &["--tui", "--out", &plain]].concat());
    assert!(!piped.contains('\u{1b}') && piped.lines().filter(|line| line.starts_with("epoch ")).count() == 4);
    let read = |run: &str| std::fs::read(checkpoint(Path::new(run))).unwrap();
    assert!(read(&seen) == read(&plain), "who looks on changes bits");
}

#[test]
fn a_run_that_is_asked_to_end_gives_the_screen_back_first() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let ways: [Way; 4] = [
        ("q", |run| run.press(b"q"), 130),
        ("Ctrl-C", |run| run.press(b"\x03"), 130),
        ("SIGTERM", |run| run.signal("TERM"), 143),
        // As soon after one another as can be.
        ("SIGTERM twice", |run| (0..2).for_each(|_| run.signal("TERM")), 143),
    ];
    for (size, (way, end, code)) in [[80, 24], [40, 12], [10, 3], [200, 60]].into_iter().zip(ways) {
        let out = folder.path().join(way.replace(' ', "-"));
        let name = out.to_str().unwrap();
        // Epochs that nobody waits for the end of.
        let fixed = ["train", "--data", "mnist", "--data-dir", data.path().to_str().unwrap(), "--device", "cpu"];
        let more = ["--batch-size", "1", "--epochs", "100000", "--recipe", "plain", "--tui", "--out", name];
        let mut run = OnTerminal::start(&[&fixed[..], &more].concat(), size);
        run.wait_for(SCREEN[0]);
        let begin = Instant::now();
        while std::fs::read(out.join("metrics.jsonl")).unwrap_or_default().is_empty() {
            assert!(begin.elapsed() < PATIENCE, "{way}: no epoch in {:?}", run.text());
            std::thread::sleep(Duration::from_millis(5));
        }
        end(&mut run);
        let (found, _, after) = run.end();
        assert_eq!(found, Some(code), "{way}: {after}");
        if way != "SIGTERM twice" {
            let kept = gpu_ae::train::Checkpoint::load(&checkpoint(&out)).unwrap();
            // Broken to lines of the terminal's width.
            let said = after.split_whitespace().collect::<Vec<_>>().join(" ");
            let expected = format!("interrupted after step {}, which is kept", kept.step());
            assert!(said.contains(&expected), "{way}: no '{expected}' in {said}");
            assert!(said.contains("gpu-ae train --resume"), "{way}: {said}");
        }
    }
}

#[test]
fn what_tells_nothing_shows_nothing() {
    for flag in ["--quiet", "--json"] {
        let output = gpu_ae(&["train", "--tui", flag]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--tui") && said.contains(flag), "{said}");
    }
}
