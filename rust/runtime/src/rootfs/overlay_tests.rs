//! What kernels older than this one are asked to do; newer ones still do it.

#![allow(clippy::unwrap_used)]
use std::{fs, io::Read as _, os::unix::fs::MetadataExt as _};

use pyctr_sys::{mount_userns::userns_with_maps, root::Root};

use super::*;

/// `count` layers with a file each, or nothing without the right to mount.
fn layers(count: usize) -> Option<(tempfile::TempDir, Overlay)> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let make = |name: String| {
        let path = dir.path().join(&name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(&name), &name).unwrap();
        path
    };
    let overlay = Overlay {
        lower: (0..count).map(|i| make(format!("layer:{i}"))).collect(),
        upper: Some(make("upper".into())),
        work: Some(make("work".into())),
    };
    fs::remove_file(dir.path().join("work/work")).unwrap();
    Some((dir, overlay))
}

fn read(mount: &OwnedFd, name: &str) -> String {
    let root = Root::new(mount.try_clone().unwrap());
    let file = root.open(name, OFlags::RDONLY, Mode::empty()).unwrap();
    let mut text = String::new();
    fs::File::from(file).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn all_layers_in_one_text() {
    let Some((_dir, overlay)) = layers(150) else {
        return;
    };
    let mount = in_private_mounts(|| {
        let layers = Layers {
            lower: overlay.lower.clone(),
            writable: overlay.upper.clone().zip(overlay.work.clone()),
            open: Vec::new(),
        };
        overlay.joined(layers)
    });
    let mount = mount.unwrap();
    assert_eq!(read(&mount, "layer:149"), "layer:149");
    assert_eq!(read(&mount, "upper"), "upper");
}

#[test]
fn mapped_layers_that_are_attached() {
    let Some((_dir, overlay)) = layers(3) else {
        return;
    };
    let userns = userns_with_maps("0 100000 65536", "0 100000 65536").unwrap();
    let userns = Some(userns.as_fd());
    let mount = in_private_mounts(|| Ok(overlay.assemble(userns, true).ok()));
    let mount = mount.unwrap().unwrap();
    let root = Root::new(mount.try_clone().unwrap());
    let place = root.open("layer:2", OFlags::RDONLY, Mode::empty()).unwrap();
    assert_eq!(fs::File::from(place).metadata().unwrap().uid(), 100_000);
    assert_eq!(read(&mount, "layer:0"), "layer:0");
}

/// Archives cannot bring such attributes; this is for layers from elsewhere.
#[test]
fn redirects_of_a_layer_are_not_followed() {
    let Some((dir, overlay)) = layers(2) else {
        return;
    };
    let [top, bottom] = [0, 1].map(|i| dir.path().join(format!("layer:{i}")));
    fs::create_dir(top.join("shown")).unwrap();
    fs::create_dir(bottom.join("hidden")).unwrap();
    fs::write(bottom.join("hidden/file"), "").unwrap();
    let flags = rustix::fs::XattrFlags::empty();
    let marked = rustix::fs::setxattr(
        top.join("shown"),
        "trusted.overlay.redirect",
        b"/hidden",
        flags,
    );
    // A directory for temporary files may be one that knows no attributes.
    if marked == Err(Errno::OPNOTSUPP) {
        return;
    }
    marked.unwrap();
    let root = Root::new(overlay.open(None).unwrap());
    root.open("hidden/file", OFlags::RDONLY, Mode::empty())
        .unwrap();
    root.open("shown/file", OFlags::RDONLY, Mode::empty())
        .unwrap_err();
}

#[test]
fn nothing_stays_mounted_on_the_host() {
    let Some((dir, overlay)) = layers(2) else {
        return;
    };
    let mount = overlay.open(None).unwrap();
    assert_eq!(read(&mount, "layer:1"), "layer:1");
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!table.contains(dir.path().to_str().unwrap()));
}
