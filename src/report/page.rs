//! One self-contained page: curves that tell their values under the pointer, pictures, tables, words. It fetches nothing and works
//! from a file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Series;

const STYLE: &str = include_str!("../../assets/page/page.css");
const SCRIPT: &str = concat!(include_str!("../../assets/page/axes.js"), include_str!("../../assets/page/page.js"));

/// What tells a page of this program from others.
const GENERATOR: &str = "<meta name=\"generator\" content=\"gpu-ae\">";

/// Whether a text is a page of this program.
pub fn is_page(text: &str) -> bool {
    text.contains(GENERATOR)
}

/// Curves over one axis.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What they are of.
    pub title: String,
    /// The curves.
    pub series: Vec<Series>,
}

/// A part of a page under a heading of its own.
#[derive(Clone, Debug)]
pub enum Section {
    /// Names and what they stand for.
    Facts(Vec<(String, String)>),
    /// A table, its first row the heads.
    Table(Vec<Vec<String>>),
    /// Curves, over what.
    Charts(&'static str, Vec<Chart>),
    /// Pictures as PNG, each under what it shows.
    Pictures(Vec<(String, Vec<u8>)>),
    /// A few words, and text as it stands.
    Text(String, String),
}

/// A page of this title, a few words below it, and sections by their headings; one that has nothing in it is left out.
pub fn page(title: &str, lead: &str, sections: &[(&str, Section)]) -> String {
    let filled: Vec<&(&str, Section)> = sections.iter().filter(|(_, section)| !section.is_empty()).collect();
    let links = filled
        .iter()
        .enumerate()
        .map(|(number, (heading, _))| format!("<a href=\"#s{number}\">{}</a>", spelt(heading)));
    let links = links.collect::<Vec<_>>().join("\n");
    let body = filled.iter().enumerate().map(|(number, (heading, section))| {
        format!("<section>\n<h2 id=\"s{number}\">{}</h2>\n{}\n</section>\n", spelt(heading), section.html())
    });
    let body: String = body.collect();
    let (title, lead) = (spelt(title), spelt(lead));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n{GENERATOR}\n<title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{lead}</p>\n\
         <nav>{links}</nav>\n{body}<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

impl Section {
    fn is_empty(&self) -> bool {
        match self {
            Section::Facts(facts) => facts.is_empty(),
            Section::Table(rows) => rows.len() < 2,
            Section::Charts(_, charts) => charts.is_empty(),
            Section::Pictures(pictures) => pictures.is_empty(),
            Section::Text(_, text) => text.is_empty(),
        }
    }

    fn html(&self) -> String {
        match self {
            Section::Facts(facts) => {
                let row = |(name, fact): &(String, String)| {
                    format!("<tr><th>{}</th><td>{}</td></tr>", spelt(name), spelt(fact))
                };
                format!("<table class=\"facts\">{}</table>", facts.iter().map(row).collect::<String>())
            }
            Section::Table(rows) => {
                let cells = |row: &Vec<String>, tag: &str| {
                    let cells = row.iter().map(|cell| format!("<{tag}>{}</{tag}>", spelt(cell)));
                    format!("<tr>{}</tr>", cells.collect::<String>())
                };
                let rows = rows.iter().enumerate().map(|(at, row)| cells(row, if at == 0 { "th" } else { "td" }));
                format!("<div class=\"scroll\"><table>{}</table></div>", rows.collect::<String>())
            }
            Section::Charts(axis, charts) => {
                let series = |series: &Series| json!({ "name": series.name, "points": series.points });
                let chart = |chart: &Chart| json!({ "title": chart.title, "series": chart.series.iter().map(series).collect::<Vec<_>>() });
                let charts = json!({ "axis": axis, "charts": charts.iter().map(chart).collect::<Vec<_>>() });
                // Inside of a script nothing but its end is read as HTML.
                let charts = charts.to_string().replace('<', "\\u003c");
                format!("<div class=\"charts\"><script type=\"application/json\">{charts}</script></div>")
            }
            Section::Pictures(pictures) => {
                let picture = |(caption, png): &(String, Vec<u8>)| {
                    let (caption, data) = (spelt(caption), STANDARD.encode(png));
                    format!(
                        "<figure><img loading=\"lazy\" alt=\"{caption}\" src=\"data:image/png;base64,{data}\"><figcaption>{caption}</figcaption></figure>"
                    )
                };
                pictures.iter().map(picture).collect()
            }
            Section::Text(words, text) => format!("<p>{}</p>\n<pre>{}</pre>", spelt(words), spelt(text)),
        }
    }
}

/// Text as HTML spells it.
fn spelt(text: &str) -> String {
    let of = |c: char| match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&#39;".into(),
        c => c.to_string(),
    };
    text.chars().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_told_becomes_html() {
        let hostile = "</script><b onclick='x'>&\"";
        let points = vec![(1.0, 0.5), (2.0, f64::NAN)];
        let sections = [
            ("facts", Section::Facts(vec![(hostile.into(), hostile.into())])),
            ("table", Section::Table(vec![vec![hostile.into()], vec![hostile.into()]])),
            (
                "charts",
                Section::Charts(
                    "epoch",
                    vec![Chart { title: hostile.into(), series: vec![Series { name: hostile.into(), points }] }],
                ),
            ),
            ("pictures", Section::Pictures(vec![(hostile.into(), vec![1, 2, 3])])),
            ("text", Section::Text(hostile.into(), hostile.into())),
            ("nothing", Section::Facts(Vec::new())),
        ];
        let page = page(hostile, hostile, &sections);
        assert!(!page.contains("<b onclick"), "{page}");
        assert_eq!(page.matches("</script>").count(), 2, "one of the data, one of the program");
        assert!(page.contains("[[1.0,0.5],[2.0,null]]") && page.contains("base64,AQID"), "{page}");
        assert!(!page.contains("nothing") && page.contains("<h2 id=\"s4\">text</h2>"), "{page}");
        // Nothing is fetched.
        assert!(
            !page.contains("http")
                || page.matches("http").count() == page.matches("http://www.w3.org/2000/svg").count()
        );
    }
}
