//! Walking a path through symbolic links, never out of the image.

use super::{Directory, MAX_LINKS, Node, Tree, components};
use crate::ImagePath;
use crate::path::MAX_BYTES;

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeadEnd {
    /// There is no such path.
    Missing(ImagePath),
    /// A part in the middle is no directory.
    NotADirectory(ImagePath),
    /// Links that lead to each other, or too many of them.
    TooManyLinks,
    /// Longer than a path may be.
    TooLong,
}

/// No layer has to have the root.
const ROOT: Node = Node::Directory(Directory::IMPLIED);

/// Where a path leads, and what is there.
pub(crate) fn resolve<'a>(tree: &'a Tree, path: &[u8]) -> Result<(ImagePath, &'a Node), DeadEnd> {
    resolve_from(tree, ImagePath::ROOT, path)
}

/// The same from a directory that is known to be one.
pub(crate) fn resolve_from<'a>(
    tree: &'a Tree,
    mut here: ImagePath,
    path: &[u8],
) -> Result<(ImagePath, &'a Node), DeadEnd> {
    let mut links = 0;
    // The next one last.
    let mut todo: Vec<&[u8]> = components(path).rev().collect();
    if path.len() > MAX_BYTES {
        return Err(DeadEnd::TooLong);
    }
    while let Some(component) = todo.pop() {
        if component == b".." {
            here.pop();
            continue;
        }
        here.push(component);
        match tree.get(&here) {
            None => return Err(DeadEnd::Missing(here)),
            Some(Node::SymbolicLink(target)) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(DeadEnd::TooManyLinks);
                }
                here.pop();
                if target.starts_with(b"/") {
                    here = ImagePath::ROOT;
                }
                todo.extend(components(target).rev());
            }
            Some(Node::Directory(_)) => {}
            Some(_) if todo.is_empty() => {}
            Some(_) => return Err(DeadEnd::NotADirectory(here)),
        }
    }
    let node = if here == ImagePath::ROOT { Some(&ROOT) } else { tree.get(&here) };
    node.map(|node| (here.clone(), node)).ok_or(DeadEnd::Missing(here))
}
