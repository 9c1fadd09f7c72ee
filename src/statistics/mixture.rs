//! A Gaussian mixture with full covariances, fitted by expectation and maximisation: what codes are drawn from where
//! nothing has made them follow a distribution of their own.
//!
//! Source: Bishop, "Pattern Recognition and Machine Learning" (2006), 9.2. The covariances have a prior that keeps
//! them regular (Fraley and Raftery, 2007): the objective is Σ_n log p(x_n) − λ/2 Σ_k tr Σ_k⁻¹, whose maximisation
//! step is Σ_k = S_k + λ/N_k · I, so that it never falls from one iteration to the next.

use crate::threads::prelude::*;

use super::cholesky::{cholesky, dot, inverse};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// λ adds this share of the data's mean variance to a component of average size.
const REGULAR: f64 = 1e-3;
/// Least variance that is told from none.
const NO_VARIANCE: f64 = 1e-12;
/// Most iterations, and the gain in nats a row below which a further one is not worth its time.
const ITERATIONS: usize = 200;
const GAIN: f64 = 1e-4;
/// Rows of which the densities are computed together.
const CHUNK: usize = 128;
/// Responsibilities below this add nothing that f64 would show.
const NEGLIGIBLE: f64 = 1e-14;

/// One Gaussian of a mixture.
#[derive(Clone, Debug)]
struct Component {
    weight: f64,
    mean: Vec<f64>,
    /// Σ = L Lᵀ: the lower triangle L and its inverse, `[width, width]` row by row.
    factor: Vec<f64>,
    inverse: Vec<f64>,
}

/// A Gaussian mixture.
#[derive(Clone, Debug)]
pub struct Mixture {
    width: usize,
    components: Vec<Component>,
}

/// A mixture, and the objective in nats a row of every iteration that led to it.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The mixture.
    pub mixture: Mixture,
    /// Its history; it never falls.
    pub objective: Vec<f64>,
}

impl Component {
    /// The component of these responsibilities, one a row; the one it was if hardly any row is its own.
    fn of(rows: &[Vec<f64>], shares: impl Iterator<Item = f64> + Clone, lambda: f64, was: &Component) -> Result<Self> {
        let width = was.mean.len();
        let mine = || rows.iter().zip(shares.clone()).filter(|(_, share)| *share > NEGLIGIBLE);
        let count: f64 = mine().map(|(_, share)| share).sum();
        let weight = count / rows.len() as f64;
        if count < NEGLIGIBLE {
            return Ok(Component { weight, ..was.clone() });
        }
        let mut mean = vec![0.0; width];
        for (row, share) in mine() {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += share / count * x);
        }
        let mut covariance = vec![0.0; width * width];
        let mut centred = vec![0.0; width];
        for (row, share) in mine() {
            centred.iter_mut().zip(row.iter().zip(&mean)).for_each(|(c, (x, m))| *c = x - m);
            for (i, line) in covariance.chunks_exact_mut(width).enumerate() {
                let a = share / count * centred[i];
                line.iter_mut().zip(&centred[..=i]).for_each(|(sum, b)| *sum += a * b);
            }
        }
        covariance.iter_mut().step_by(width + 1).for_each(|variance| *variance += lambda / count);
        let factor = cholesky(covariance, width)?;
        let inverse = inverse(&factor, width);
        Ok(Component { weight, mean, factor, inverse })
    }

    /// log (weight · density at x).
    fn log_density(&self, x: &[f64], centred: &mut [f64]) -> f64 {
        let width = self.mean.len();
        centred.iter_mut().zip(x.iter().zip(&self.mean)).for_each(|(c, (x, m))| *c = x - m);
        let mut distance = 0.0;
        let mut log_root = 0.0;
        for (i, line) in self.inverse.chunks_exact(width).enumerate() {
            let z = dot(&line[..=i], &centred[..=i]);
            distance += z * z;
            log_root += line[i].ln();
        }
        self.weight.ln() + log_root - 0.5 * (distance + width as f64 * std::f64::consts::TAU.ln())
    }
}

/// Rows far from one another (Arthur and Vassilvitskii, "k-means++", 2007), and for every row the nearest of them.
fn seeds(rows: &[Vec<f64>], components: usize, rng: &mut Rng) -> (Vec<usize>, Vec<usize>) {
    let first = rng.below(rows.len() as u32) as usize;
    let (mut chosen, mut nearest) = (vec![first], vec![0; rows.len()]);
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    let mut distances: Vec<f64> = rows.iter().map(|row| distance(row, &rows[first])).collect();
    while chosen.len() < components {
        let mut left = f64::from(rng.uniform()) * distances.iter().sum::<f64>();
        let next = distances.iter().position(|distance| {
            left -= distance;
            left < 0.0
        });
        let Some(next) = next else { break };
        for (row, was) in distances.iter_mut().enumerate() {
            let now = distance(&rows[row], &rows[next]);
            if now < *was {
                (*was, nearest[row]) = (now, chosen.len());
            }
        }
        chosen.push(next);
    }
    (chosen, nearest)
}

impl Mixture {
    /// Fits a mixture of so many components, at most one a different row, to rows of `width` numbers.
    ///
    /// # Errors
    /// When there is no row, or a value is so large that a covariance is not finite.
    pub fn fit(values: &[f32], width: usize, components: usize, rng: &mut Rng) -> Result<Fitted> {
        let rows: Vec<Vec<f64>> =
            values.chunks_exact(width.max(1)).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect();
        if rows.is_empty() || width == 0 || components == 0 {
            return Err(Error::Failed("mixture: there are no codes to fit it to".into()));
        }
        let (chosen, nearest) = seeds(&rows, components, rng);
        let count = rows.len() as f64;
        let variance = |i: usize| {
            let mean = rows.iter().map(|row| row[i]).sum::<f64>() / count;
            rows.iter().map(|row| (row[i] - mean).powi(2)).sum::<f64>() / count
        };
        let mean_variance = (0..width).map(variance).sum::<f64>() / width as f64;
        let lambda = REGULAR * mean_variance.max(NO_VARIANCE) * count / chosen.len() as f64;
        let begin = |(k, &row): (usize, &usize)| {
            let none = Component { weight: 0.0, mean: rows[row].clone(), factor: Vec::new(), inverse: Vec::new() };
            Component::of(&rows, nearest.iter().map(|&n| f64::from(u8::from(n == k))), lambda, &none)
        };
        let components = chosen.iter().enumerate().map(begin).collect::<Result<Vec<Component>>>()?;
        let mut mixture = Mixture { width, components };
        let mut objective = Vec::new();
        loop {
            let (shares, likelihood) = mixture.responsibilities(&rows);
            let irregular = mixture.components.iter().flat_map(|component| &component.inverse);
            let irregular: f64 = irregular.map(|x| x * x).sum();
            let now = (likelihood - 0.5 * lambda * irregular) / count;
            let gain = objective.last().map_or(f64::INFINITY, |before| now - before);
            objective.push(now);
            if gain < GAIN || objective.len() == ITERATIONS {
                return Ok(Fitted { mixture, objective });
            }
            let all = mixture.components.len();
            let next = mixture.components.par_iter().enumerate();
            let next =
                next.map(|(k, was)| Component::of(&rows, shares.iter().skip(k).step_by(all).copied(), lambda, was));
            mixture.components = next.collect::<Result<Vec<Component>>>()?;
        }
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.components.len()
    }

    /// The probability of each component given each row, `[rows, components]`, and Σ_n log p(x_n).
    fn responsibilities(&self, rows: &[Vec<f64>]) -> (Vec<f64>, f64) {
        let chunk = |rows: &[Vec<f64>]| {
            let mut centred = vec![0.0; self.width];
            let (mut shares, mut likelihood) = (Vec::with_capacity(rows.len() * self.components.len()), 0.0);
            for row in rows {
                let logs: Vec<f64> = self.components.iter().map(|c| c.log_density(row, &mut centred)).collect();
                let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
                likelihood += largest + sum.ln();
                shares.extend(logs.iter().map(|log| (log - largest).exp() / sum));
            }
            (shares, likelihood)
        };
        let parts: Vec<(Vec<f64>, f64)> = rows.par_chunks(CHUNK).map(chunk).collect();
        let likelihood = parts.iter().map(|part| part.1).sum();
        (parts.into_iter().flat_map(|part| part.0).collect(), likelihood)
    }

    /// Draws `rows` rows: `[rows, width]`.
    pub fn draw(&self, rows: usize, rng: &mut Rng) -> Vec<f32> {
        let mut drawn = Vec::with_capacity(rows * self.width);
        for _ in 0..rows {
            let mut left = f64::from(rng.uniform());
            let component = self.components.iter().find(|component| {
                left -= component.weight;
                left < 0.0
            });
            // Weights may sum to a little less than 1.
            let Some(component) = component.or(self.components.last()) else { break };
            let normal: Vec<f64> = (0..self.width).map(|_| rng.normal()).collect();
            for (i, line) in component.factor.chunks_exact(self.width).enumerate() {
                let shift: f64 = line[..=i].iter().zip(&normal).map(|(l, z)| l * z).sum();
                drawn.push((component.mean[i] + shift) as f32);
            }
        }
        drawn
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream_key};

    fn rng(seed: u64) -> Rng {
        Rng::new(stream_key(seed, Stream::Generate))
    }

    /// Three Gaussians of the plane, their covariances L Lᵀ of these factors.
    fn known() -> Mixture {
        let component = |weight, mean: [f64; 2], factor: [f64; 4]| Component {
            weight,
            mean: mean.to_vec(),
            factor: factor.to_vec(),
            inverse: inverse(&factor, 2),
        };
        let components = vec![
            component(0.5, [0.0, 0.0], [1.0, 0.0, 0.8, 0.6]),
            component(0.3, [6.0, -2.0], [0.5, 0.0, 0.0, 2.0]),
            component(0.2, [-5.0, 5.0], [1.5, 0.0, -1.0, 0.3]),
        ];
        Mixture { width: 2, components }
    }

    #[test]
    fn a_known_mixture_is_found_again() {
        let truth = known();
        let rows = truth.draw(20_000, &mut rng(1));
        let mut found = Mixture::fit(&rows, 2, 3, &mut rng(2)).unwrap().mixture.components;
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        for (found, truth) in found.iter().zip(&truth.components) {
            assert!((found.weight - truth.weight).abs() < 0.015, "{} for {}", found.weight, truth.weight);
            for (a, b) in found.mean.iter().zip(&truth.mean).chain(found.factor.iter().zip(&truth.factor)) {
                assert!((a - b).abs() < 0.06, "{found:?} for {truth:?}");
            }
        }
    }

    #[test]
    fn the_objective_never_falls_and_ends_where_the_data_came_from() {
        let truth = known();
        let rows = truth.draw(3000, &mut rng(5));
        for (components, seed) in [(1, 0), (3, 1), (3, 2), (8, 3)] {
            let Fitted { mixture, objective } = Mixture::fit(&rows, 2, components, &mut rng(seed)).unwrap();
            assert!(objective.windows(2).all(|pair| pair[1] > pair[0] - 1e-10), "{objective:?}");
            let rows: Vec<Vec<f64>> = rows.chunks_exact(2).map(|r| r.iter().map(|&x| f64::from(x)).collect()).collect();
            let [fitted, true_one] = [&mixture, &truth].map(|m| m.responsibilities(&rows).1 / 3000.0);
            assert!(components < 3 || fitted > true_one - 0.01, "{fitted} nats a row, {true_one} of the truth");
        }
    }

    #[test]
    fn dead_and_repeated_codes_are_fitted_all_the_same() {
        let mut values: Vec<f32> = (0..300).flat_map(|row| [(row % 5) as f32, 0.0, (row % 5) as f32]).collect();
        let fitted = Mixture::fit(&values, 3, 10, &mut rng(3)).unwrap();
        assert_eq!(fitted.mixture.components(), 5, "as many as there are different rows");
        assert!(fitted.mixture.draw(100, &mut rng(4)).iter().all(|value| value.is_finite()));
        values.fill(2.0);
        let drawn = Mixture::fit(&values, 3, 10, &mut rng(3)).unwrap().mixture.draw(50, &mut rng(4));
        assert!(drawn.iter().all(|value| (value - 2.0).abs() < 1e-3), "{drawn:?}");
        assert!(Mixture::fit(&[], 3, 10, &mut rng(3)).is_err());
        assert!(Mixture::fit(&[f32::MAX, f32::NAN], 1, 1, &mut rng(3)).is_err());
    }
}
