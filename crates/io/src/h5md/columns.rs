//! The datasets that grow by one entry per frame.

use amelo_core::Frame;
use amelo_math::{Mat3, Vec3};
use hdf5::{Dataset, File, Group, H5Type};

use super::{OwnedFrame, TrajectorySettings};
use crate::h5::{self, H5Result};

/// The one particle group; MDAnalysis opens a file without topology only under this name.
pub(super) const PARTICLES: &str = "particles/trajectory";

/// Samples per chunk of datasets with one number per frame.
pub(super) const SCALARS_PER_CHUNK: usize = 1024;

/// Elements of every frame, by dataset.
pub(super) struct Columns {
    step: Dataset,
    time: Dataset,
    digest: Dataset,
    edges: Dataset,
    position: Dataset,
    image: Dataset,
    displacement: Dataset,
    velocity: Option<Dataset>,
    force: Option<Dataset>,
    observables: Vec<Dataset>,
}

impl Columns {
    /// Makes the empty datasets, with `per_chunk` frames in each chunk of per-atom data.
    pub(super) fn create(file: &File, n: usize, per_chunk: usize, settings: &TrajectorySettings) -> H5Result<()> {
        let particles = file.group(PARTICLES)?;
        let position = particles.create_group("position")?;
        growing::<u64>(&position, "step")?;
        let time = growing::<f64>(&position, "time")?;
        h5::put_unit(&time, "ps")?;
        let element = |group: &Group| -> H5Result<()> {
            group.link_hard(&format!("/{PARTICLES}/position/step"), "step")?;
            group.link_hard(&format!("/{PARTICLES}/position/time"), "time")
        };
        let vectors = |group: &Group, unit: &str| -> H5Result<()> {
            let values = group.new_dataset::<f64>().chunk((per_chunk, n, 3)).shape((0.., n, 3)).create("value")?;
            h5::put_unit(&values, unit)
        };
        vectors(&position, "nm")?;
        for (name, unit, wanted) in [
            ("displacement", "nm", true),
            ("velocity", "nm ps-1", settings.velocities),
            ("force", "kJ mol-1 nm-1", settings.forces),
        ] {
            if wanted {
                let group = particles.create_group(name)?;
                element(&group)?;
                vectors(&group, unit)?;
            }
        }
        let image = particles.create_group("image")?;
        element(&image)?;
        image.new_dataset::<i32>().chunk((per_chunk, n, 3)).shape((0.., n, 3)).create("value")?;
        let edges = particles.create_group("box/edges")?;
        element(&edges)?;
        let values = edges.new_dataset::<f64>().chunk((SCALARS_PER_CHUNK, 3, 3)).shape((0.., 3, 3)).create("value")?;
        h5::put_unit(&values, "nm")?;
        for observable in &settings.observables {
            let group = file.create_group(&format!("observables/{}", observable.name))?;
            element(&group)?;
            let values = growing::<f64>(&group, "value")?;
            if !observable.unit.is_empty() {
                h5::put_unit(&values, &observable.unit)?;
            }
        }
        file.group("parameters")?
            .new_dataset::<u8>()
            .chunk((SCALARS_PER_CHUNK, 32))
            .shape((0.., 32))
            .create("frame_sha256")?;
        Ok(())
    }

    /// Opens the datasets; `observables` in the order of their names in the file's list.
    pub(super) fn open(file: &File, observables: &[String]) -> H5Result<Self> {
        let particles = file.group(PARTICLES)?;
        let value = |name: &str| particles.dataset(&format!("{name}/value"));
        let optional = |name: &str| if particles.link_exists(name) { value(name).map(Some) } else { Ok(None) };
        Ok(Columns {
            step: particles.dataset("position/step")?,
            time: particles.dataset("position/time")?,
            digest: file.dataset("parameters/frame_sha256")?,
            edges: particles.dataset("box/edges/value")?,
            position: value("position")?,
            image: value("image")?,
            displacement: value("displacement")?,
            velocity: optional("velocity")?,
            force: optional("force")?,
            observables: observables
                .iter()
                .map(|name| file.dataset(&format!("observables/{name}/value")))
                .collect::<H5Result<_>>()?,
        })
    }

    /// Writes entry `k`, which is the next one. The caller has checked every length.
    pub(super) fn append(&self, k: usize, frame: &Frame, observables: &[f64], digest: [u8; 32]) -> H5Result<()> {
        let n = frame.positions.len();
        let vectors = |dataset: &Dataset, values: &[Vec3]| -> H5Result<()> {
            let rows: Vec<[f64; 3]> = values.iter().map(|v| v.to_array()).collect();
            dataset.resize((k + 1, n, 3))?;
            dataset.write_slice::<_, f64, _, _>(rows.as_slice(), (k, .., ..))
        };
        vectors(&self.position, frame.positions)?;
        vectors(&self.displacement, frame.displacements)?;
        if let (Some(dataset), Some(values)) = (&self.velocity, frame.velocities) {
            vectors(dataset, values)?;
        }
        if let (Some(dataset), Some(values)) = (&self.force, frame.forces) {
            vectors(dataset, values)?;
        }
        self.image.resize((k + 1, n, 3))?;
        self.image.write_slice::<_, i32, _, _>(frame.images, (k, .., ..))?;
        self.edges.resize((k + 1, 3, 3))?;
        self.edges.write_slice::<_, f64, _, _>(&frame.cell.vectors().to_array()[..], (k, .., ..))?;
        for (dataset, value) in self.observables.iter().zip(observables) {
            put(dataset, k, *value)?;
        }
        put(&self.time, k, frame.time)?;
        put(&self.step, k, frame.step)?;
        self.digest.resize((k + 1, 32))?;
        self.digest.write_slice::<_, u8, _, _>(&digest[..], (k, ..))
    }

    /// Entries that every dataset has, and whether all have the same number.
    pub(super) fn len(&self) -> H5Result<(usize, bool)> {
        let fixed =
            [&self.step, &self.time, &self.digest, &self.edges, &self.position, &self.image, &self.displacement];
        let all = fixed.into_iter().chain(&self.velocity).chain(&self.force).chain(&self.observables);
        let (mut least, mut most) = (usize::MAX, 0);
        for dataset in all {
            let length = dataset.get_shape()?.first().copied().unwrap_or(0);
            least = least.min(length);
            most = most.max(length);
        }
        Ok((least, least == most))
    }

    /// Atoms per frame.
    pub(super) fn n_atoms(&self) -> H5Result<usize> {
        Ok(self.position.get_shape()?.get(1).copied().unwrap_or(0))
    }

    pub(super) fn has_velocities(&self) -> bool {
        self.velocity.is_some()
    }

    pub(super) fn has_forces(&self) -> bool {
        self.force.is_some()
    }

    /// Steps and times of the first `n` entries, or of fewer where a chunk cannot be read.
    pub(super) fn instants(&self, n: usize) -> Vec<(u64, f64)> {
        let mut instants = Vec::with_capacity(n);
        while instants.len() < n {
            let range = instants.len()..n.min(instants.len() + SCALARS_PER_CHUNK);
            let (Ok(steps), Ok(times)) =
                (self.step.read_slice_1d::<u64, _>(range.clone()), self.time.read_slice_1d::<f64, _>(range))
            else {
                break;
            };
            instants.extend(steps.into_iter().zip(times));
        }
        instants
    }

    /// Entry `k` with the digest that was stored with it.
    pub(super) fn read(&self, k: usize) -> H5Result<(OwnedFrame, [u8; 32])> {
        let vectors = |dataset: &Dataset| -> H5Result<Vec<Vec3>> {
            Ok(block::<f64>(dataset, k)?.into_iter().map(Vec3::from).collect())
        };
        let edges: [[f64; 3]; 3] = block::<f64>(&self.edges, k)?.try_into().map_err(|_| "box/edges is not 3 × 3")?;
        let digest = self.digest.read_slice_1d::<u8, _>((k, ..))?.to_vec();
        let frame = OwnedFrame {
            step: get(&self.step, k)?,
            time: get(&self.time, k)?,
            cell: amelo_core::Cell::new(Mat3::from_array(edges)).map_err(|e| e.to_string())?,
            positions: vectors(&self.position)?,
            images: block::<i32>(&self.image, k)?,
            displacements: vectors(&self.displacement)?,
            velocities: self.velocity.as_ref().map(vectors).transpose()?,
            forces: self.force.as_ref().map(vectors).transpose()?,
            observables: self.observables.iter().map(|d| get(d, k)).collect::<H5Result<_>>()?,
        };
        Ok((frame, digest.try_into().map_err(|_| "frame_sha256 has not 32 bytes per frame")?))
    }
}

/// An empty dataset of one number per frame.
fn growing<T: H5Type>(group: &Group, name: &str) -> H5Result<Dataset> {
    group.new_dataset::<T>().chunk(SCALARS_PER_CHUNK).shape(0..).create(name)
}

fn put<T: H5Type>(dataset: &Dataset, k: usize, value: T) -> H5Result<()> {
    dataset.resize(k + 1)?;
    dataset.write_slice::<_, T, _, _>(&[value][..], k..k + 1)
}

fn get<T: H5Type + Copy>(dataset: &Dataset, k: usize) -> H5Result<T> {
    dataset.read_slice_1d::<T, _>(k..k + 1)?.first().copied().ok_or_else(|| "an entry is missing".into())
}

fn block<T: H5Type + Copy>(dataset: &Dataset, k: usize) -> H5Result<Vec<[T; 3]>> {
    let array = dataset.read_slice_2d::<T, _>((k, .., ..))?;
    h5::into_rows(array.as_slice().unwrap_or_default(), "a frame")
}
