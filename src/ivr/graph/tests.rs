use super::*;
use crate::ivr::tests::shipped;

#[test]
fn every_node_and_arrow_is_in_every_picture() {
    for flow in shipped().flows() {
        let graph = Graph::of(flow);
        for format in [Format::Mermaid, Format::Dot, Format::Svg] {
            let text = draw(flow, format);
            for node in &graph.nodes {
                assert!(text.contains(&node.name), "{flow:?} {format:?}: {}", node.name);
            }
            let drawn = match format {
                Format::Mermaid => text.matches("-->|").count(),
                Format::Dot => text.matches("-> n").count() - 1,
                Format::Svg => text.matches("marker-end").count(),
            };
            assert_eq!(drawn, graph.arrows.len(), "{flow:?} {format:?}");
        }
    }
}

#[test]
fn a_picture_keeps_its_boxes_apart() {
    for flow in shipped().flows() {
        let graph = Graph::of(flow);
        let layers = layers::layers(&graph);
        let mut all: Vec<usize> = layers.concat();
        all.sort_unstable();
        assert_eq!(all, (0..graph.nodes.len()).collect::<Vec<_>>(), "each node has one place");
        assert_eq!(layers[0], [graph.start]);
    }
}
