//! Images made by hand: layers that no builder would write, and an OCI layout around them.

use std::fs;
use std::path::Path;

use podcov_container_image::{Digest, Platform};
use serde_json::{Value, json};
use tempfile::TempDir;

/// One tar entry, with a header of our own: tar writers refuse what is tested here.
pub fn entry(kind: u8, name: &[u8], link: &[u8], data: &[u8]) -> Vec<u8> {
    entry_of_size(kind, name, link, format!("{:011o}\0", data.len()).as_bytes(), data)
}

pub fn entry_of_size(kind: u8, name: &[u8], link: &[u8], size: &[u8], data: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut put = |offset: usize, bytes: &[u8]| header[offset..offset + bytes.len()].copy_from_slice(bytes);
    put(0, name);
    put(100, b"0000755\0");
    put(124, size);
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0; data.len().next_multiple_of(512) - data.len()];
    [&header[..], data, &padding].concat()
}

pub fn file(name: &str, data: &[u8]) -> Vec<u8> {
    entry(b'0', name.as_bytes(), b"", data)
}

/// The end of an archive.
pub const END: [u8; 1024] = [0; 1024];

/// An OCI layout in a directory.
pub struct Layout(TempDir);

impl Layout {
    /// Of layers that are not compressed. Each gets its end.
    pub fn of_layers(layers: &[Vec<u8>]) -> Self {
        let layers = layers.iter().map(|layer| [&layer[..], &END].concat());
        Self::of_stored(&layers.map(|layer| (layer.clone(), layer)).collect::<Vec<_>>())
    }

    /// Of layers as they are stored, and unpacked.
    pub fn of_stored(layers: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let layout = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(layout.path().join("blobs/sha256")).unwrap();
        fs::write(layout.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let digests: Vec<String> = layers.iter().map(|(_, layer)| Digest::of(layer).to_string()).collect();
        let Platform { os, architecture, .. } = Platform::of_local_engine();
        let config = json!({
            "os": os, "architecture": architecture, "config": {"Entrypoint": ["/app/server"]},
            "rootfs": {"type": "layers", "diff_ids": digests},
        });
        let config = layout.put("image.config.v1+json", config.to_string().as_bytes());
        let layers: Vec<Value> =
            layers.iter().map(|(stored, _)| layout.put("image.layer.v1.tar", stored)).collect();
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest =
            json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
        let manifest = layout.put("image.manifest.v1+json", manifest.to_string().as_bytes());
        let index = json!({"schemaVersion": 2, "manifests": [manifest]});
        fs::write(layout.path().join("index.json"), index.to_string()).unwrap();
        layout
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a blob and describes it.
    fn put(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        fs::write(self.path().join("blobs/sha256").join(digest.hexadecimal()), bytes).unwrap();
        json!({
            "mediaType": format!("application/vnd.oci.{media_type}"), "digest": digest.to_string(),
            "size": bytes.len(),
        })
    }
}

/// Has the engine load an image, and says its ID.
pub fn load_into_engine(layout: &Layout) -> String {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("image.tar");
    let config = fs::read_dir(layout.path().join("blobs/sha256")).unwrap().find_map(|blob| {
        let blob = blob.unwrap().path();
        let value: Value = serde_json::from_slice(&fs::read(&blob).unwrap()).ok()?;
        value.get("rootfs").is_some().then_some((blob, value))
    });
    let (config, value) = config.unwrap();
    let name = |digest: &str| format!("blobs/sha256/{}", digest.trim_start_matches("sha256:"));
    let layers: Vec<String> =
        value["rootfs"]["diff_ids"].as_array().unwrap().iter().map(|it| name(it.as_str().unwrap())).collect();
    let config = name(config.file_name().unwrap().to_str().unwrap());
    let manifest = json!([{"Config": config, "RepoTags": null, "Layers": layers}]);
    fs::write(layout.path().join("manifest.json"), manifest.to_string()).unwrap();
    let mut tar = std::process::Command::new("tar");
    // Without the other documents: an engine of today would read those.
    crate::tools::output(
        tar.arg("-cf").arg(&archive).arg("-C").arg(layout.path()).args(["manifest.json", "blobs"]),
    );
    fs::remove_file(layout.path().join("manifest.json")).unwrap();
    let loaded = crate::tools::docker(&["load", "--input", archive.to_str().unwrap()]);
    loaded.rsplit(' ').next().unwrap().to_owned()
}
