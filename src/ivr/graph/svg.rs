//! The picture as SVG: boxes in layers, curved arrows with their outcomes.

use super::Graph;
use super::layers::layers;
use std::fmt::Write as _;

const BOX: (i32, i32) = (230, 58);
const GAP: (i32, i32) = (34, 74);
const EDGE: i32 = 30;

pub(super) fn draw(graph: &Graph) -> String {
    let layers = layers(graph);
    let widest = layers.iter().map(Vec::len).max().unwrap_or(1) as i32;
    let width = 2 * EDGE + widest * (BOX.0 + GAP.0) - GAP.0;
    let height = 2 * EDGE + layers.len() as i32 * (BOX.1 + GAP.1) - GAP.1 + 30;
    let mut at = vec![(0, 0); graph.nodes.len()];
    for (y, layer) in layers.iter().enumerate() {
        let wide = layer.len() as i32 * (BOX.0 + GAP.0) - GAP.0;
        for (x, n) in layer.iter().enumerate() {
            at[*n] =
                ((width - wide) / 2 + x as i32 * (BOX.0 + GAP.0), EDGE + 30 + y as i32 * (BOX.1 + GAP.1));
        }
    }
    // Writing to a String cannot fail.
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">"
    );
    let _ = writeln!(out, "<title>{}</title>", escape(&graph.title));
    out.push_str("<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" fill=\"#555\"/></marker></defs>\n");
    let _ = writeln!(
        out,
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/><text x=\"{EDGE}\" y=\"24\" font-size=\"15\">{}</text>",
        escape(&graph.title)
    );
    let mut labels = String::new();
    for (n, arrow) in graph.arrows.iter().enumerate() {
        self::arrow(&mut out, &mut labels, at[arrow.from], at[arrow.to], &arrow.label, n as i32);
    }
    for (n, node) in graph.nodes.iter().enumerate() {
        let ((x, y), (fill, line)) = (at[n], node.class.colours());
        let heavy = if n == graph.start { 3 } else { 1 };
        let _ = writeln!(
            out,
            "<g><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"9\" fill=\"{fill}\" stroke=\"{line}\" stroke-width=\"{heavy}\"/>\
             <text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text><text x=\"{}\" y=\"{}\" fill=\"{line}\">{}</text><text x=\"{}\" y=\"{}\" fill=\"#333\">{}</text></g>",
            BOX.0,
            BOX.1,
            x + 10,
            y + 19,
            escape(&node.name),
            x + 10,
            y + 34,
            node.kind,
            x + 10,
            y + 50,
            escape(&node.note)
        );
    }
    out.push_str(&labels);
    out.push_str("</svg>\n");
    out
}

/// Downwards from the bottom to the top; elsewhere around the right side. Labels come last, above all lines.
fn arrow(out: &mut String, labels: &mut String, from: (i32, i32), to: (i32, i32), label: &str, n: i32) {
    let (w, h) = BOX;
    // Spread a little, so that arrows of one box do not lie on each other.
    let spread = n % 5 * 12 - 24;
    let (path, lx, ly) = if to.1 > from.1 {
        let (x1, y1, x2, y2) = (from.0 + w / 2 + spread, from.1 + h, to.0 + w / 2 + spread / 2, to.1);
        let bend = (y2 - y1) / 2;
        // Near its beginning, where it is clear whose it is.
        (
            format!("M{x1} {y1}C{x1} {} {x2} {} {x2} {y2}", y1 + bend, y2 - bend),
            x1 + (x2 - x1) / 6,
            y1 + 14 + (n % 3) * 13,
        )
    } else if to.1 == from.1 && to.0 != from.0 {
        // Beside each other: over the boxes between them.
        let (x1, x2, y) = (from.0 + w / 2 + spread, to.0 + w / 2 - spread, from.1);
        let over = y - 18 - n % 4 * 9;
        (format!("M{x1} {y}C{x1} {over} {x2} {over} {x2} {y}"), x1 + (x2 - x1) / 6, over + 6)
    } else {
        let (x1, y1, x2, y2) = (from.0 + w, from.1 + h / 2 + spread / 2, to.0 + w, to.1 + h / 2 + spread / 2);
        let out_by = x1.max(x2) + 24 + n % 7 * 6;
        (format!("M{x1} {y1}C{out_by} {y1} {out_by} {y2} {x2} {y2}"), x1 + 6, y1 - 4)
    };
    let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"#777\" marker-end=\"url(#tip)\"/>");
    let _ = writeln!(
        labels,
        "<text x=\"{lx}\" y=\"{ly}\" font-size=\"11\" fill=\"#222\" stroke=\"white\" stroke-width=\"3\" paint-order=\"stroke\">{}</text>",
        escape(label)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
