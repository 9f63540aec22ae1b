//! How many pieces bonds hold together.

/// Number of pieces of `n` atoms joined by `bonds`.
pub fn pieces(n: usize, bonds: impl IntoIterator<Item = [usize; 2]>) -> usize {
    let mut leader: Vec<usize> = (0..n).collect();
    for [i, j] in bonds {
        let (a, b) = (find(&mut leader, i), find(&mut leader, j));
        leader[a] = b;
    }
    (0..n).filter(|&k| leader[k] == k).count()
}

/// The leader of the piece that `k` belongs to.
fn find(leader: &mut [usize], mut k: usize) -> usize {
    while leader[k] != k {
        leader[k] = leader[leader[k]];
        k = leader[k];
    }
    k
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_counted_by_hand() {
        // Two rings that share an atom, an atom alone, a pair.
        assert_eq!(pieces(8, [[0, 3], [0, 4], [1, 4], [1, 5], [2, 7]]), 3);
        assert_eq!(pieces(3, [[0, 1], [0, 2], [1, 2]]), 1);
        assert_eq!(pieces(4, []), 4);
    }
}
