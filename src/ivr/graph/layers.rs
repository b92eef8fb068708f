//! Places for the nodes of a picture: in layers by their distance from the start, then moved sideways below those that lead to them.

use super::Graph;
use std::collections::VecDeque;

/// Sweeps that put each layer in the order of its neighbours.
const SWEEPS: usize = 8;

/// Each layer's nodes from left to right.
pub(super) fn layers(graph: &Graph) -> Vec<Vec<usize>> {
    let mut depth: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    let mut todo = VecDeque::from([graph.start]);
    if let Some(first) = depth.get_mut(graph.start) {
        *first = Some(0);
    }
    let next: Vec<Vec<usize>> = neighbours(graph, true);
    while let Some(n) = todo.pop_front() {
        let below = depth[n].unwrap_or(0) + 1;
        for to in &next[n] {
            if depth[*to].is_none() {
                depth[*to] = Some(below);
                todo.push_back(*to);
            }
        }
    }
    let deepest = depth.iter().flatten().max().copied().unwrap_or(0);
    let mut layers = vec![Vec::new(); deepest + 1];
    for (n, depth) in depth.iter().enumerate() {
        // What nothing leads to is drawn all the same.
        layers[depth.unwrap_or(deepest)].push(n);
    }
    order(graph, &mut layers);
    layers
}

fn neighbours(graph: &Graph, forward: bool) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); graph.nodes.len()];
    for arrow in &graph.arrows {
        let (from, to) = if forward { (arrow.from, arrow.to) } else { (arrow.to, arrow.from) };
        lists[from].push(to);
    }
    lists
}

/// Fewer crossings: by turns downwards and upwards, each node goes to the middle of its neighbours in the layer before.
fn order(graph: &Graph, layers: &mut [Vec<usize>]) {
    let mut place = vec![0_usize; graph.nodes.len()];
    let note = |layer: &[usize], place: &mut [usize]| {
        layer.iter().enumerate().for_each(|(x, n)| place[*n] = x);
    };
    layers.iter().for_each(|layer| note(layer, &mut place));
    let (above, below) = (neighbours(graph, false), neighbours(graph, true));
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let around = if down { &above } else { &below };
        for i in 0..layers.len() {
            let i = if down { i } else { layers.len() - 1 - i };
            let middle = |n: &usize| {
                let places: Vec<usize> = around[*n].iter().map(|other| place[*other]).collect();
                // In thousandths, so that it sorts; who has no neighbours stays.
                if places.is_empty() {
                    place[*n] * 1_000
                } else {
                    places.iter().sum::<usize>() * 1_000 / places.len()
                }
            };
            let mut ordered: Vec<(usize, usize)> = layers[i].iter().map(|n| (middle(n), *n)).collect();
            ordered.sort();
            layers[i] = ordered.into_iter().map(|(_, n)| n).collect();
            note(&layers[i], &mut place);
        }
    }
}
