//! Images that somebody made to do harm, or that were cut or damaged on the way.

use std::fs;
use std::path::Path;
use std::process::Command;

use podcov_container_image::{Error, FileSystem, ImageReader, LayerError, Limits};
use proptest::prelude::*;

use crate::layout::{END, Layout, entry, entry_of_size, file, load_into_engine};
use crate::tools::{assert_same, docker, exported, has_engine, listing, local, output, reader};

async fn open(reader: &ImageReader, archive: &Path) -> Result<FileSystem, Error> {
    reader.from_archive(archive, None, &local()).await?.into_file_system().await
}

async fn refusal(layers: &[Vec<u8>]) -> LayerError {
    let layout = Layout::of_layers(layers);
    match open(&reader(), layout.path()).await {
        Err(Error::Layer { source, .. }) => source,
        Err(other) => panic!("{other}"),
        Ok(files) => panic!("it is {:?}", listing(&files)),
    }
}

async fn paths(layers: &[Vec<u8>]) -> Vec<String> {
    let layout = Layout::of_layers(layers);
    let files = open(&reader(), layout.path()).await.unwrap();
    files.entries().map(|(path, _)| path.to_string()).collect()
}

fn symbolic_link(name: &str, target: &str) -> Vec<u8> {
    entry(b'2', name.as_bytes(), target.as_bytes(), b"")
}

fn hard_link(name: &str, target: &str) -> Vec<u8> {
    entry(b'1', name.as_bytes(), target.as_bytes(), b"")
}

#[tokio::test]
async fn names_that_lead_out_are_refused() {
    for name in ["../etc/passwd", "a/../../b", "..", "/../x", "a/.."] {
        assert!(matches!(refusal(&[file(name, b"")]).await, LayerError::Traversal(_)), "{name}");
    }
    let link = [file("a", b""), hard_link("b", "../a")].concat();
    assert!(matches!(refusal(&[link]).await, LayerError::Traversal(_)));
}

#[tokio::test]
async fn an_absolute_name_is_one_within_the_image() {
    assert_eq!(paths(&[file("/etc/passwd", b"")]).await, ["/etc", "/etc/passwd"]);
}

#[tokio::test]
async fn whiteouts_of_directories_above_are_refused() {
    for name in [".wh...", "a/.wh...", ".wh..", ".wh.", "a/.wh."] {
        assert!(matches!(refusal(&[file(name, b"")]).await, LayerError::Whiteout(_)), "{name}");
    }
}

#[tokio::test]
async fn whiteouts_hide_lower_layers_only_wherever_they_stand() {
    let lower = [file("a/one", b""), file("a/two", b""), file("ab", b""), file("c", b"")].concat();
    let upper =
        [file("a/new", b""), file("a/.wh..wh..opq", b""), file("c", b"new"), file(".wh.c", b"")].concat();
    assert_eq!(paths(&[lower.clone(), upper]).await, ["/a", "/a/new", "/ab", "/c"]);
    assert_eq!(paths(&[lower.clone(), file(".wh.a", b"")]).await, ["/ab", "/c"]);
    assert_eq!(paths(&[lower.clone(), file(".wh..wh..opq", b"")]).await, <[&str; 0]>::default());
    assert_eq!(paths(&[file(".wh.nothing", b"")]).await, <[&str; 0]>::default());
    let of_aufs = [file(".wh..wh.aufs", b""), file(".wh..wh.plnk/1.2", b"")].concat();
    assert_eq!(paths(&[lower, of_aufs]).await, ["/a", "/a/one", "/a/two", "/ab", "/c"]);
}

#[tokio::test]
async fn a_link_of_a_lower_layer_does_not_move_files_of_a_higher_one() {
    let lower = [file("real/kept", b""), symbolic_link("link", "real")].concat();
    assert_eq!(paths(&[lower, file("link/x", b"")]).await, ["/link", "/link/x", "/real", "/real/kept"]);
}

#[tokio::test]
async fn a_link_of_the_same_layer_moves_files_within_the_image() {
    for target in ["real", "/real", "../../real"] {
        let layer = [symbolic_link("link", target), file("link/x", b"")].concat();
        assert_eq!(paths(&[layer]).await, ["/link", "/real", "/real/x"], "{target}");
    }
}

/// What no builder writes, but other tools do: the engine is asked what it makes of it.
#[tokio::test]
async fn strange_layers_are_laid_over_each_other_as_the_engine_does_it() {
    if !has_engine("strange_layers_are_laid_over_each_other_as_the_engine_does_it") {
        return;
    }
    let lower = [
        file("real/kept", b"kept"),
        symbolic_link("link", "real"),
        file("hidden/one", b""),
        file("hidden/two/three", b""),
        file("plain", b""),
        file("gone", b""),
    ];
    let upper = [
        file("link/x", b"a directory now"),
        // The engine wants the directory in the same layer.
        file("real/new", b"new"),
        symbolic_link("inside", "/real"),
        file("inside/y", b"through a link"),
        file("hidden/.wh..wh..opq", b""),
        file("hidden/two/four", b""),
        file("plain/below", b"a directory now"),
        file(".wh.gone", b""),
        file("./dots//and/./slashes", b""),
        file("twice", b"second"),
        hard_link("again", "twice"),
        hard_link("and-again", "/again"),
    ];
    let layout = Layout::of_layers(&[lower.concat(), upper.concat()]);
    let image = load_into_engine(&layout);
    let expected = exported(&image);
    docker(&["rmi", &image]);
    assert_same(&listing(&open(&reader(), layout.path()).await.unwrap()), &expected);
}

#[tokio::test]
async fn links_that_lead_to_each_other_end() {
    let circle = [symbolic_link("a", "b"), symbolic_link("b", "a")].concat();
    let layout = Layout::of_layers(std::slice::from_ref(&circle));
    let files = open(&reader(), layout.path()).await.unwrap();
    assert!(matches!(files.open("a/x"), Err(Error::TooManyLinks(_))));
    assert!(matches!(refusal(&[[circle, file("a/x", b"")].concat()]).await, LayerError::LinkLoop(_)));
    let growing = [symbolic_link("a", "a/b"), file("a/x", b"")].concat();
    assert!(matches!(refusal(&[growing]).await, LayerError::LinkLoop(_)));
}

#[tokio::test]
async fn hard_links_to_nothing_are_refused() {
    let to_directory = [entry(b'5', b"d/", b"", b""), hard_link("a", "d")].concat();
    let later = [hard_link("a", "b"), file("b", b"")].concat();
    for layer in [hard_link("a", "a"), hard_link("a", "b"), hard_link("a", ""), to_directory, later] {
        assert!(matches!(refusal(&[layer]).await, LayerError::HardLink { .. }));
    }
}

#[tokio::test]
async fn a_layer_of_other_bytes_is_refused() {
    let layer = |data| [&file("a", data)[..], &END].concat();
    let other = Layout::of_stored(&[(layer(b"stored"), layer(b"promised"))]);
    let error = open(&reader(), other.path()).await.unwrap_err();
    assert!(matches!(error, Error::Layer { source: LayerError::OtherDigest { .. }, .. }), "{error}");

    let layout = Layout::of_layers(&[file("a", b"whole")]);
    for blob in fs::read_dir(layout.path().join("blobs/sha256")).unwrap() {
        let blob = blob.unwrap().path();
        let whole = fs::read(&blob).unwrap();
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1;
        fs::write(&blob, damaged).unwrap();
        let error = open(&reader(), layout.path()).await.unwrap_err();
        let is_digest = matches!(
            error,
            Error::OtherDigest { .. } | Error::Layer { source: LayerError::OtherDigest { .. }, .. }
        );
        assert!(is_digest, "{error}");
        fs::remove_file(&blob).unwrap();
        let error = open(&reader(), layout.path()).await.unwrap_err();
        assert!(matches!(error, Error::MissingBlob { .. }), "{error}");
        fs::write(&blob, whole).unwrap();
    }
    open(&reader(), layout.path()).await.unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let input = tempfile::NamedTempFile::new().unwrap();
    fs::write(input.path(), bytes).unwrap();
    output(Command::new("gzip").args(["-9", "-c"]).stdin(fs::File::open(input.path()).unwrap()))
}

fn with_limits(limits: Limits) -> ImageReader {
    reader().with_limits(limits)
}

#[tokio::test]
async fn a_decompression_bomb_is_refused() {
    let layer = [&file("zeros", &vec![0; 4 << 20])[..], &END].concat();
    let layout = Layout::of_stored(&[(gzip(&layer), layer)]);
    open(&reader(), layout.path()).await.unwrap();
    let tight = with_limits(Limits { free_unpacked_bytes: 1 << 20, ..Limits::default() });
    let error = open(&tight, layout.path()).await.unwrap_err();
    let Error::Layer { source: LayerError::Bomb { limit, .. }, .. } = error else { panic!("{error}") };
    assert_eq!(limit, 1 << 20);
    let tight = with_limits(Limits { unpacked_bytes: 1 << 21, ..Limits::default() });
    let error = open(&tight, layout.path()).await.unwrap_err();
    assert!(matches!(error, Error::Layer { source: LayerError::Bomb { .. }, .. }), "{error}");

    let archive = tempfile::tempdir().unwrap();
    let path = archive.path().join("archive.gz");
    fs::write(&path, gzip(&vec![0; 4 << 20])).unwrap();
    let tight = with_limits(Limits { free_unpacked_bytes: 1 << 20, ..Limits::default() });
    assert!(matches!(open(&tight, &path).await.unwrap_err(), Error::TooLarge { .. }));
}

#[tokio::test]
async fn absurd_numbers_are_refused_without_being_believed() {
    let sizes: [&[u8]; 5] = [
        b"777777777777",
        &[0xff; 12],
        b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"zzz",
        b"-0000000001\0",
    ];
    for size in sizes {
        let refused = refusal(&[entry_of_size(b'0', b"a", b"", size, b"x")]).await;
        assert!(matches!(refused, LayerError::Tar { .. } | LayerError::Unpack(_)), "{size:?}: {refused}");
        let refused = refusal(&[entry_of_size(b'L', b"a", b"", size, b"x")]).await;
        assert!(matches!(refused, LayerError::Tar { .. } | LayerError::Unpack(_)), "{size:?}: {refused}");
    }
    for pax in [
        "99999999999 path=a\n",
        "10 path",
        "11 path=a/b",
        "x path=a\n",
        "26 size=18446744073709551615\n",
        "0 \n",
    ] {
        let layer = [entry(b'x', b"pax", b"", pax.as_bytes()), file("a", b"")].concat();
        assert!(matches!(refusal(&[layer]).await, LayerError::Tar { .. } | LayerError::Unpack(_)), "{pax}");
    }
}

#[tokio::test]
async fn too_many_entries_and_names_are_refused() {
    let many: Vec<u8> = (0..100).flat_map(|number| file(&format!("file-{number}"), b"")).collect();
    let layout = Layout::of_layers(&[many]);
    let error =
        open(&with_limits(Limits { entries: 99, ..Limits::default() }), layout.path()).await.unwrap_err();
    assert!(matches!(error, Error::Layer { source: LayerError::TooManyEntries(99), .. }), "{error}");
    let error =
        open(&with_limits(Limits { name_bytes: 99, ..Limits::default() }), layout.path()).await.unwrap_err();
    assert!(matches!(error, Error::Layer { source: LayerError::TooManyNames(99), .. }), "{error}");
    let error =
        open(&with_limits(Limits { layers: 0, ..Limits::default() }), layout.path()).await.unwrap_err();
    assert!(matches!(error, Error::TooManyLayers { .. }), "{error}");

    // Few bytes that imply many directories.
    let name = "a/".repeat(2000);
    let deep = |number: usize| {
        [entry(b'L', b"", b"", format!("{number}/{name}x").as_bytes()), file("", b"")].concat()
    };
    let layout = Layout::of_layers(&[(0..100).flat_map(deep).collect()]);
    let limits = Limits { name_bytes: 20 << 20, ..Limits::default() };
    let error = open(&with_limits(limits), layout.path()).await.unwrap_err();
    assert!(matches!(error, Error::Layer { source: LayerError::TooManyNames(_), .. }), "{error}");
    let long = [entry(b'L', b"", b"", &[b'x'; 5000]), file("", b"")].concat();
    assert!(matches!(refusal(&[long]).await, LayerError::LongName(5000)));
}

#[tokio::test]
async fn a_document_of_absurd_size_is_not_read() {
    let layout = Layout::of_layers(&[file("a", b"")]);
    let error = open(&with_limits(Limits { document_bytes: 10, ..Limits::default() }), layout.path())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

/// The layout as a tar archive, as GNU tar writes it.
fn tar_of(layout: &Layout) -> Vec<u8> {
    output(Command::new("tar").args(["--sort=name", "-cf", "-", "-C"]).arg(layout.path()).arg("."))
}

#[tokio::test]
async fn every_truncation_is_an_error_or_the_whole_image() {
    let layer = [&file("app/server", b"binary")[..], &symbolic_link("link", "app"), &END].concat();
    let layout = Layout::of_stored(&[(gzip(&layer), layer)]);
    let whole = listing(&open(&reader(), layout.path()).await.unwrap());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("archive");
    let archive = tar_of(&layout);
    for archive in [archive.clone(), gzip(&archive)] {
        let mut read = 0;
        // Every byte of the compressed one; of the other the edges of blocks, where it could go unnoticed.
        let lengths =
            (0..archive.len()).filter(|length| archive.len() < 4000 || matches!(length % 512, 0 | 1 | 511));
        for length in lengths {
            fs::write(&path, &archive[..length]).unwrap();
            if let Ok(files) = open(&reader(), &path).await {
                assert_eq!(listing(&files), whole, "of {length} bytes");
                read += 1;
            }
        }
        // Only zeros were missing.
        assert!(read < 25, "{read}");
        fs::write(&path, &archive).unwrap();
        open(&reader(), &path).await.unwrap();
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// With right digests, so that the damage reaches the parser.
    #[test]
    fn a_damaged_layer_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut layer = [
            file("app/server", b"binary"), symbolic_link("link", "app"), hard_link("hard", "app/server"),
            entry(b'x', b"pax", b"", b"18 path=app/other\n"), file("x", b"data"),
            entry(b'L', b"", b"", b"app/long"), file("x", b"data"), file("app/.wh.gone", b""),
            END.to_vec(),
        ].concat();
        for (place, byte) in changes {
            let place = place.index(layer.len());
            layer[place] = byte;
            // Its header may be right again.
            let header = place / 512 * 512;
            let header = &mut layer[header..header + 512];
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let layout = Layout::of_stored(&[(layer.clone(), layer)]);
        if let Ok(files) = block_on(open(&reader(), layout.path())) {
            for (path, file) in files.regular_files() {
                let contents = files.contents(path, file).map(|mut contents| {
                    std::io::copy(&mut contents, &mut std::io::sink())
                });
                prop_assert!(contents.is_err() || contents.is_ok_and(|length| length.is_ok_and(|length| length == file.size)));
            }
        }
    }

    #[test]
    fn damaged_compression_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), is_zstd: bool) {
        let layer = [&file("app/server", &b"binary ".repeat(3000))[..], &END].concat();
        let mut stored = if is_zstd { zstd(&layer) } else { gzip(&layer) };
        for (place, byte) in changes {
            *place.get_mut(&mut stored) = byte;
        }
        let layout = Layout::of_stored(&[(stored, layer)]);
        let _ = block_on(open(&reader(), layout.path())).map(|files| listing(&files));
    }
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let input = tempfile::NamedTempFile::new().unwrap();
    fs::write(input.path(), bytes).unwrap();
    let mut compress = Command::new(crate::tools::go_program("registry"));
    output(compress.arg("zstd").stdin(fs::File::open(input.path()).unwrap()))
}
