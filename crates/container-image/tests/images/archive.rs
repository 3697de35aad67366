//! Images in files that real tools wrote.

use std::fs;
use std::path::Path;
use std::process::Command;

use podcov_container_image::{Error, ImageReader, Platform};
use serde_json::Value;

use crate::layout::{END, Layout, file};
use crate::tools::{
    Registry, assert_same, build_image, crane, docker, exported, go_program, has_engine, listing, local,
    output, reader, shape_image,
};

async fn files(archive: &Path) -> crate::tools::Listing {
    let image = reader().from_archive(archive, None, &local()).await.unwrap();
    listing(&image.into_file_system().await.unwrap())
}

#[tokio::test]
async fn what_docker_save_writes_is_what_docker_exports() {
    if !has_engine("what_docker_save_writes_is_what_docker_exports") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let saved = directory.path().join("image.tar");
    docker(&["save", "--output", saved.to_str().unwrap(), shape_image()]);
    let expected = exported(shape_image());
    assert_same(&files(&saved).await, &expected);

    let image = reader().from_archive(&saved, Some(shape_image()), &local()).await.unwrap();
    let inspected: Value = serde_json::from_str(&docker(&["inspect", shape_image()])).unwrap();
    assert_eq!(image.digests().config.unwrap().to_string(), inspected[0]["Id"]);
    assert_eq!(image.config().user, "65532:65532");

    output(Command::new("gzip").arg("--keep").arg(&saved));
    assert_same(&files(&directory.path().join("image.tar.gz")).await, &expected);

    let unpacked = directory.path().join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    output(Command::new("tar").arg("-xf").arg(&saved).arg("-C").arg(&unpacked));
    assert_same(&files(&unpacked).await, &expected);

    let pipe = directory.path().join("pipe");
    output(Command::new("mkfifo").arg(&pipe));
    let mut writer =
        Command::new("sh").arg("-c").arg("cat image.tar > pipe").current_dir(&directory).spawn().unwrap();
    assert_same(&files(&pipe).await, &expected);
    assert!(writer.wait().unwrap().success());

    // And what crane makes of it: every layer compressed, in three forms.
    let registry = Registry::serve(&[]);
    let there = registry.name("shape:v1");
    crane(&["push", saved.to_str().unwrap(), &there]);
    for format in ["oci", "tarball", "legacy"] {
        let pulled = directory.path().join(format);
        crane(&["pull", "--format", format, &there, pulled.to_str().unwrap()]);
        assert_same(&files(&pulled).await, &expected);
    }
}

#[tokio::test]
async fn of_several_images_one_has_to_be_named() {
    const OTHER: &str = "podcov-container-image-test:other";
    if !has_engine("of_several_images_one_has_to_be_named") {
        return;
    }
    build_image(OTHER, "FROM scratch\nCOPY shape /other\nCMD [\"/other\"]\n");
    let directory = tempfile::tempdir().unwrap();
    let saved = directory.path().join("images.tar");
    docker(&["save", "--output", saved.to_str().unwrap(), shape_image(), OTHER]);
    let open = async |image| reader().from_archive(&saved, image, &local()).await;
    let error = open(None).await.unwrap_err();
    assert!(matches!(&error, Error::SeveralImages { present, .. } if present.len() == 2), "{error}");
    assert!(error.to_string().contains(OTHER) && error.to_string().contains(shape_image()), "{error}");
    let twice = directory.path().join("twice.tar");
    docker(&["tag", OTHER, "podcov-container-image-test:same"]);
    docker(&["save", "--output", twice.to_str().unwrap(), OTHER, "podcov-container-image-test:same"]);
    reader().from_archive(&twice, None, &local()).await.unwrap();
    assert_eq!(open(Some(OTHER)).await.unwrap().config().command, ["/other"]);
    let whole_name = format!("docker.io/library/{OTHER}");
    assert_eq!(open(Some(&whole_name)).await.unwrap().config().command, ["/other"]);
    let error = open(Some("podcov-container-image-test:third")).await.unwrap_err();
    assert!(matches!(&error, Error::NotInArchive { .. }) && error.to_string().contains(OTHER), "{error}");
}

#[tokio::test]
async fn what_is_no_image_says_what_it_could_have_been() {
    let directory = tempfile::tempdir().unwrap();
    let refuse = async |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        reader().from_archive(&path, None, &local()).await.unwrap_err()
    };
    let exported = [&file("app/server", b"x")[..], &END].concat();
    let error = refuse("export.tar", &exported).await;
    assert!(error.to_string().contains("`docker export`"), "{error}");
    for (name, bytes) in [("empty", &b""[..]), ("text", b"FROM scratch"), ("elf", &[0x7f; 4096])] {
        let error = refuse(name, bytes).await;
        assert!(matches!(error, Error::NotAnImage { .. } | Error::Unreadable { .. }), "{error}");
    }
    let error = reader().from_archive(&directory.path().join("none"), None, &local()).await.unwrap_err();
    assert!(matches!(&error, Error::Unreadable { .. }) && error.to_string().contains("none"), "{error}");
    let error = reader().from_archive(directory.path(), None, &local()).await.unwrap_err();
    assert!(matches!(error, Error::NotAnImage { .. }), "{error}");
}

#[tokio::test]
async fn layers_of_zstd_and_of_several_gzip_members_are_read() {
    let layer = [&file("app/server", &b"binary ".repeat(20_000))[..], &END].concat();
    let compress = |command: &mut Command, bytes: &[u8]| {
        let input = tempfile::NamedTempFile::new().unwrap();
        fs::write(input.path(), bytes).unwrap();
        output(command.stdin(fs::File::open(input.path()).unwrap()))
    };
    let (first, second) = layer.split_at(700);
    let gzip = |bytes| compress(Command::new("gzip").arg("-c"), bytes);
    let stored = [
        compress(Command::new(go_program("registry")).arg("zstd"), &layer),
        [gzip(first), gzip(second)].concat(),
    ];
    for stored in stored {
        let layout = Layout::of_stored(&[(stored, layer.clone())]);
        assert_same(&files(layout.path()).await, &{
            let mut expected = crate::tools::listing_of_tar(&layer);
            expected.insert(b"/app".to_vec(), "directory 755 0:0".to_owned());
            expected
        });
    }
}

#[tokio::test]
async fn an_archive_for_another_platform_is_refused_by_name() {
    let layout = Layout::of_layers(&[file("app/server", b"x")]);
    let reader: ImageReader = reader();
    let error = reader.from_archive(layout.path(), None, &Platform::linux("s390x")).await.unwrap_err();
    assert!(
        error.to_string().ends_with(&format!("is not for linux/s390x; it is for: {}", local())),
        "{error}"
    );
}

#[tokio::test]
async fn one_image_of_two_names_is_one() {
    let layout = Layout::of_layers(&[file("app/server", b"x")]);
    let index = layout.path().join("index.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let mut names = [document["manifests"][0].clone(), document["manifests"][0].clone()];
    for (manifest, tag) in names.iter_mut().zip(["v1", "v2"]) {
        let annotation = format!("shop.example/api:{tag}");
        manifest["annotations"] = serde_json::json!({
            "io.containerd.image.name": annotation, "org.opencontainers.image.ref.name": tag,
        });
    }
    document["manifests"] = names.to_vec().into();
    fs::write(&index, document.to_string()).unwrap();
    for name in [None, Some("shop.example/api:v1"), Some("v2")] {
        reader().from_archive(layout.path(), name, &local()).await.unwrap();
    }
    let error = reader().from_archive(layout.path(), Some("v3"), &local()).await.unwrap_err();
    assert!(matches!(error, Error::NotInArchive { .. }), "{error}");
}
