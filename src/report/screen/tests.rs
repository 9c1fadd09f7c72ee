use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::*;
use crate::data::ImageShape;
use crate::report::Strip;

fn curves(title: &str, scale: f64) -> Curves {
    let points = |shift: f64| (1..=6).map(|epoch| (f64::from(epoch), scale / f64::from(epoch) + shift)).collect();
    Curves { title: title.into(), train: points(0.0), test: points(0.1 * scale), validation: Vec::new() }
}

fn screen() -> Screen {
    let image = ImageShape { height: 28, width: 28, channels: 1 };
    let strip = |caption: &str, value: f32| Strip {
        caption: caption.into(),
        headings: Vec::new(),
        pixels: vec![value; 8 * image.values()],
    };
    Screen {
        run: "entropic 784-64-20-64-784 on digits".into(),
        device: "cpu".into(),
        progress: Progress {
            epoch: 7,
            epochs: 10,
            of_epoch: 0.25,
            of_run: 0.625,
            left: [Some(Duration::from_secs(3)), Some(Duration::from_secs(200))],
            figure: Some(("mse".into(), 0.0312)),
            samples_per_second: Some(34_567.0),
        },
        curves: vec![curves("mse", 0.1), curves("entropy", 3.0)],
        under_way: vec![(6.1, 0.02), (6.25, 0.019)],
        widths: vec![(0, "active 64-20-12".into()), (1, "effective width 40.1-12.0-8.3".into())],
        warnings: vec!["layer 2: 15 of 20 units are dead; a smaller --lr usually helps".into()],
        pictures: Some(Arc::new(Pictures {
            image,
            strips: vec![strip("originals", 1.0), strip("reconstructions", 0.5)],
            depth: Depth::Full,
        })),
        keys: "q ends the run".into(),
    }
}

fn drawn(screen: &Screen, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(screen, frame.area(), frame.buffer_mut())).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let line = |row: Rect| row.columns().map(|at| buffer[(at.x, at.y)].symbol().to_string()).collect();
    buffer.area.rows().map(line).collect()
}

#[test]
fn a_usual_terminal_has_all_of_it() {
    let buffer = drawn(&screen(), 80, 24);
    let lines = lines(&buffer);
    let text = lines.join("\n");
    assert!(lines[0].starts_with("entropic 784-64-20-64-784 on digits"), "{text}");
    assert!(lines[1].starts_with("on cpu"), "{text}");
    assert!(lines[2].starts_with("epoch 7/10 ████ ") && lines[2].contains(" 25%  3 s left  mse 0.03120"), "{text}");
    assert!(lines[2].trim_end().ends_with("34,567 samples/s"), "{text}");
    assert!(lines[3].starts_with("run        ██████████ ") && lines[3].contains(" 62%  3 min 20 s left"), "{text}");
    assert!(lines[4].starts_with("mse train 0.01667 test 0.02667"), "{text}");
    assert!(lines[4].contains("originals over reconstructions"), "{text}");
    assert!(text.contains("entropy train 0.5000 test 0.8000"), "{text}");
    assert!(lines[21].starts_with("active 64-20-12  effective width 40.1-12.0-8.3"), "{text}");
    assert!(lines[22].starts_with("warning: layer 2: 15 of 20 units are dead"), "{text}");
    assert!(lines[23].starts_with("q ends the run"), "{text}");
    // Two images beside one another, white over grey.
    let halves = |color: Color| buffer.content().iter().filter(|cell| cell.symbol() == "▀" && cell.fg == color).count();
    assert_eq!([halves(Color::Rgb(255, 255, 255)), halves(Color::Rgb(128, 128, 128))], [2 * 14 * 7; 2]);
    assert!(
        text.chars().filter(|letter| ('\u{2801}'..='\u{28ff}').contains(letter)).count() > 40,
        "no curves:\n{text}"
    );
}

#[test]
fn a_small_terminal_keeps_what_matters_most() {
    let text = lines(&drawn(&screen(), 40, 12));
    let all = text.join("\n");
    assert!(text[0].starts_with("entropic 784-64"), "{all}");
    assert!(text[1].starts_with("epoch 7/10") && text[1].contains("25%  3 s left"), "{all}");
    assert!(all.contains("mse train 0.01667 test 0.02667") && !all.contains('▀'), "{all}");
    assert!(all.contains("active 64-20-12") && all.contains("q ends the run"), "{all}");
    let line = |width| lines(&drawn(&screen(), width, 1)).concat();
    assert!(line(30).starts_with("epoch 7/10 █▌"), "{}", line(30));
    assert_eq!(line(16), "epoch 7/10   25%");
}

#[test]
fn no_size_is_too_small_or_too_large() {
    let empty = Screen::default();
    for (width, height) in (0..30).flat_map(|width| (0..30).map(move |height| (width, height))) {
        drawn(&screen(), width, height);
        drawn(&empty, width, height);
    }
    for (width, height) in [(1, 300), (300, 1), (20, 60), (61, 10), (250, 90)] {
        drawn(&screen(), width, height);
    }
}

#[test]
fn without_images_curves_have_all_of_the_width() {
    let text = lines(&drawn(&Screen { pictures: None, ..screen() }, 80, 24)).join("\n");
    assert!(!text.contains('▀') && !text.contains("originals"), "{text}");
    let widest = |text: &str| {
        let is_dot = |letter: char| ('\u{2801}'..='\u{28ff}').contains(&letter);
        text.lines()
            .filter_map(|line| line.chars().collect::<Vec<_>>().iter().rposition(|&letter| is_dot(letter)))
            .max()
    };
    assert!(widest(&text) > Some(70), "{text}");
}

#[test]
fn what_is_not_finite_and_what_acts_on_a_terminal_is_not_drawn() {
    let mut odd = screen();
    odd.run = "a\u{1b}[2Jb".into();
    odd.warnings = vec!["\u{9b}31m".into()];
    odd.curves[0].train = vec![(1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, -1.0), (4.0, 0.0)];
    odd.progress.of_epoch = f64::NAN;
    odd.progress.samples_per_second = Some(f64::INFINITY);
    let text = lines(&drawn(&odd, 80, 24));
    assert!(text[0].starts_with("a\\u001b[2Jb"), "{}", text[0]);
    assert!(!text.concat().contains(char::is_control));
}
