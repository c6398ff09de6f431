//! Block devices.

use super::nonzero;
use crate::{BlockIo, Cgroup, Error, Result, ThrottleDevice, cgroup::Place, convert, dir::Dir};

const WEIGHTS: std::ops::RangeInclusive<u16> = 10..=1000;

/// A list of rates with the file of version 1 and the word of version 2.
type Throttle<'a> = (&'static str, &'static str, &'a [ThrottleDevice]);

pub(super) fn set(group: &Cgroup, io: &BlockIo) -> Result<()> {
    let weights = weights(io)?;
    let throttles = throttles(io);
    let Some(key) = weights
        .then_some("blockIO.weight")
        .or_else(|| first_throttle(&throttles))
    else {
        return Ok(());
    };
    match group.need("blkio", "io", key)? {
        Place::V1(dir) => {
            weights_v1(dir, io)?;
            throttles_v1(dir, &throttles)
        }
        Place::V2(dir) => {
            weights_v2(dir, io)?;
            throttles_v2(dir, &throttles)
        }
    }
}

fn throttles(io: &BlockIo) -> [Throttle<'_>; 4] {
    [
        (
            "blkio.throttle.read_bps_device",
            "rbps",
            &io.throttle_read_bps_device,
        ),
        (
            "blkio.throttle.write_bps_device",
            "wbps",
            &io.throttle_write_bps_device,
        ),
        (
            "blkio.throttle.read_iops_device",
            "riops",
            &io.throttle_read_iops_device,
        ),
        (
            "blkio.throttle.write_iops_device",
            "wiops",
            &io.throttle_write_iops_device,
        ),
    ]
}

fn first_throttle(throttles: &[Throttle<'_>]) -> Option<&'static str> {
    throttles
        .iter()
        .any(|(_, _, devices)| !devices.is_empty())
        .then_some("blockIO.throttle")
}

/// Whether any weight is asked for.
fn weights(io: &BlockIo) -> Result<bool> {
    let own = [nonzero(io.weight), nonzero(io.leaf_weight)];
    let devices = io
        .weight_device
        .iter()
        .flat_map(|device| [nonzero(device.weight), nonzero(device.leaf_weight)]);
    let mut asked = false;
    for weight in own.into_iter().chain(devices).flatten() {
        asked = true;
        if !WEIGHTS.contains(&weight) {
            let (least, most) = (WEIGHTS.start(), WEIGHTS.end());
            let reason = format!("{weight} is not between {least} and {most}");
            return Err(Error::Invalid {
                key: "blockIO.weight",
                reason,
            });
        }
    }
    Ok(asked)
}

fn weights_v1(dir: &Dir, io: &BlockIo) -> Result<()> {
    // The weights of the old CFQ scheduler; since Linux 5.0 there are only BFQ's.
    let (weight, device_weight) = if dir.exists("blkio.weight") {
        ("blkio.weight", "blkio.weight_device")
    } else {
        ("blkio.bfq.weight", "blkio.bfq.weight_device")
    };
    if let Some(value) = nonzero(io.weight) {
        write_weight(dir, weight, &value.to_string())?;
    }
    if let Some(value) = nonzero(io.leaf_weight) {
        write_weight(dir, "blkio.leaf_weight", &value.to_string())?;
    }
    for device in &io.weight_device {
        let line = |weight: u16| format!("{}:{} {weight}", device.major, device.minor);
        if let Some(value) = nonzero(device.weight) {
            write_weight(dir, device_weight, &line(value))?;
        }
        if let Some(value) = nonzero(device.leaf_weight) {
            write_weight(dir, "blkio.leaf_weight_device", &line(value))?;
        }
    }
    Ok(())
}

/// BFQ counts to 1000 as the specification does; the io controller's own weight goes to 10000.
fn weights_v2(dir: &Dir, io: &BlockIo) -> Result<()> {
    if nonzero(io.leaf_weight).is_some() {
        return Err(Error::Unsupported {
            key: "blockIO.leafWeight",
            version: "v2",
        });
    }
    let bfq = dir.exists("io.bfq.weight");
    let file = if bfq { "io.bfq.weight" } else { "io.weight" };
    let value = |weight: u16| {
        if bfq {
            u64::from(weight)
        } else {
            convert::io_weight(weight)
        }
    };
    if let Some(weight) = nonzero(io.weight) {
        write_weight(dir, file, &value(weight).to_string())?;
    }
    for device in &io.weight_device {
        if let Some(weight) = nonzero(device.weight) {
            write_weight(
                dir,
                file,
                &format!("{}:{} {}", device.major, device.minor, value(weight)),
            )?;
        }
    }
    Ok(())
}

/// Weights come with the scheduler that heeds them, which may not be there.
fn write_weight(dir: &Dir, file: &str, value: &str) -> Result<()> {
    if !dir.exists(file) {
        return Err(Error::Unavailable {
            key: "blockIO.weight".to_owned(),
            controller: file.to_owned(),
        });
    }
    dir.write(file, value)
}

fn throttles_v1(dir: &Dir, throttles: &[Throttle<'_>]) -> Result<()> {
    for (file, _, devices) in throttles {
        for device in *devices {
            dir.write(
                file,
                &format!("{}:{} {}", device.major, device.minor, device.rate),
            )?;
        }
    }
    Ok(())
}

fn throttles_v2(dir: &Dir, throttles: &[Throttle<'_>]) -> Result<()> {
    for (_, word, devices) in throttles {
        for ThrottleDevice { major, minor, rate } in *devices {
            let rate = if *rate == 0 {
                "max".to_owned()
            } else {
                rate.to_string()
            };
            dir.write("io.max", &format!("{major}:{minor} {word}={rate}"))?;
        }
    }
    Ok(())
}
