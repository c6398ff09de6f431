//! Overlays.

use std::{fs, path::Path};

use pyctr_runtime::rootfs::Overlay;

use crate::harness::{Bundle, Case, entry, writable};

pub const CASES: &[Case] = &[
    ("upper layers hide lower ones", precedence),
    ("more than a hundred layers", many),
    ("without an upper layer it is read-only", no_upper),
    ("names with colons, commas and backslashes", names),
    ("a missing layer is named", missing),
    ("the path of the root shows it to hooks", visible_to_hooks),
];

fn precedence() {
    let bundle = Bundle::like_docker().with_layers(&["one", "two", "three"]);
    for name in ["two", "three"] {
        fs::write(bundle.path(name).join("file"), name).unwrap();
    }
    bundle.run(|| {
        assert_eq!(fs::read_to_string("/file").unwrap(), "two");
        fs::remove_file("/file").unwrap();
        assert!(!Path::new("/file").exists());
        fs::create_dir("/dir").unwrap();
    });
    assert!(bundle.path("two/file").exists() && bundle.path("top/upper/dir").exists());
}

fn many() {
    let names: Vec<_> = (0..150)
        .map(|i| format!("layers/{i}-{}", "x".repeat(200)))
        .collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let bundle = Bundle::like_docker().with_layers(&names);
    for name in &names {
        fs::write(bundle.path(name).join(&name[7..12]), "").unwrap();
    }
    bundle.run(|| assert!(Path::new("/149-x").exists() && Path::new("/0-xxx").exists()));
}

fn no_upper() {
    let mut bundle = Bundle::new().with_layers(&["one", "two"]);
    for dir in ["one/dev", "one/proc"] {
        fs::create_dir(bundle.path(dir)).unwrap();
    }
    bundle
        .mount("/dev", "tmpfs", "tmpfs", &[])
        .mount("/proc", "proc", "proc", &[]);
    let overlay = bundle.options.overlay.as_mut().unwrap();
    (overlay.upper, overlay.work) = (None, None);
    bundle.run(|| assert!(!writable("/") && entry("/").kind == "overlay"));
    bundle.options.overlay.as_mut().unwrap().lower.pop();
    bundle.run(|| assert!(!writable("/") && Path::new("/dev/null").exists()));
    bundle.mount("/missing/place", "tmpfs", "tmpfs", &[]);
    let why = "the mount point is missing and the file system that should hold it is read-only";
    assert_eq!(
        bundle.error(),
        format!("cannot mount tmpfs on /missing/place: {why}")
    );
}

fn names() {
    let bundle = Bundle::like_docker().with_layers(&["a:b", "c,d", "e\\f", "g h"]);
    for name in ["a:b", "c,d", "e\\f", "g h"] {
        fs::write(bundle.path(name).join(&name[..1]), "").unwrap();
    }
    bundle.run(|| {
        ["/a", "/c", "/e", "/g"]
            .iter()
            .for_each(|path| assert!(Path::new(path).exists(), "{path}"))
    });
}

fn missing() {
    let mut bundle = Bundle::new().with_layers(&["a", "b"]);
    fs::remove_dir(bundle.path("b")).unwrap();
    let text = bundle.error();
    assert!(
        text.starts_with(&format!(
            "cannot use the layer {}: ",
            bundle.path("b").display()
        )),
        "{text}"
    );
    bundle.options.overlay = Some(Overlay::default());
    assert_eq!(
        bundle.error(),
        "an overlay needs at least one lower directory"
    );
}

fn visible_to_hooks() {
    let bundle = Bundle::like_docker().with_layers(&["a", "b"]);
    let path = bundle.path("rootfs");
    bundle.run_stages(
        |_| {
            assert!(path.join("proc/self").exists());
            fs::write(path.join("hook"), "was here").unwrap();
        },
        || assert!(Path::new("/hook").exists()),
    );
}
