package app

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"larder/internal/awsregion"
	"larder/internal/durable"
)

// holdings are what the engine holds of those parts of its state directory that are of no region, and makes them of
// when they go.
type holdings struct {
	info        Info
	certificate []byte       // of the local CA
	key         []byte       // the master key
	log         *os.File     // where the engine logs; a part only where that is engine.log
	socket      func() error // has the engine listen on a new engine.sock
}

// openFolder is a directory whose files are in use.
type openFolder interface {
	// Intact tells whether the files in use have their names.
	Intact() (bool, error)
	// Restore gives them their names again.
	Restore() error
}

// parts lists what belongs in the state directory h beside what its regions keep, as it is there now.
func (h Home) parts(held *os.File, of holdings) []part {
	path := inside(held).path
	socket := fileAt(path(socketName))
	all := []part{
		{kind: keyFile, name: "master.key", same: holds(of.key),
			mend: func(dir Home) error { return durable.WriteFile(dir.masterKey(), of.key) }},
		{kind: infoKind, name: "engine.json", mend: func(dir Home) error { return dir.writeInfo(of.info) }},
		{kind: sockKind, name: socketName, same: socket.same, mend: func(dir Home) error {
			err := of.socket()
			if err == nil {
				*socket = *fileAt(dir.path(socketName))
			}
			return err
		}},
		{kind: trust, name: "ca.pem", mend: func(dir Home) error { return dir.writeAuthority(of.certificate) }},
		{kind: trust, name: "ca-bundle.pem", mend: func(dir Home) error { return dir.writeBundle(of.certificate) }},
		{kind: folder, name: "mail", mend: func(dir Home) error { return makeFolder(dir.MailDir()) }},
	}
	name := "engine.log"
	if own, err := durable.Named(of.log, path(name)); own && err == nil {
		all = append(all, part{kind: ownLog, name: name, same: isOpen(of.log),
			mend: func(dir Home) error { return reopen(of.log, dir.LogFile()) }})
	}
	return all
}

// parts lists what a region keeps in the state directory: what has its files open makes them anew.
func (r *region) parts() []part {
	at := func(dir Home) Home { return dir.In(r.name) }
	var all []part
	name := func(of string) string { return of }
	if r.name != awsregion.Home {
		own := filepath.Join(regionsName, r.name)
		name = func(of string) string { return filepath.Join(own, of) }
		all = append(all,
			part{kind: folder, name: regionsName,
				mend: func(dir Home) error { return makeFolder(dir.path(regionsName)) }},
			part{kind: folder, name: own, mend: func(dir Home) error { return makeFolder(dir.path(own)) }})
	}
	nodes := &nodeFolders{nodes: r.nodes, replace: r.engine.ReplaceDetached}
	return append(all,
		part{kind: database, name: name("larder.db"),
			same: func(path string, _ fs.FileInfo) (bool, error) { return r.state.Own(path) },
			mend: func(dir Home) error { return r.state.Restore(at(dir).stateFile()) }},
		inUse(nodesDir, name("nodes"), nodes),
		inUse(storeDir, name("logs"), r.events),
		inUse(storeDir, name("metrics"), r.metrics),
		part{kind: folder, name: name("snapshots"),
			mend: func(dir Home) error { return makeFolder(at(dir).snapshots()) }})
}

// isOpen tells whether a path leads to an open file.
func isOpen(f *os.File) func(string, fs.FileInfo) (bool, error) {
	return func(path string, _ fs.FileInfo) (bool, error) { return durable.Named(f, path) }
}

// reopen has an open file, and standard output where that is the same, append to what is at path from now on.
func reopen(f *os.File, path string) error {
	next, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	output := false
	if was, err := f.Stat(); err == nil {
		now, err := os.Stdout.Stat()
		output = err == nil && os.SameFile(was, now)
	}
	err = unix.Dup3(int(next.Fd()), int(f.Fd()), 0)
	if err == nil && output {
		err = unix.Dup3(int(next.Fd()), int(os.Stdout.Fd()), 0)
	}
	return errors.Join(err, next.Close())
}

func inUse(k kind, name string, f openFolder) part {
	return part{
		kind: k, name: name,
		same: func(string, fs.FileInfo) (bool, error) { return f.Intact() },
		mend: func(dir Home) error {
			if err := makeFolder(dir.path(name)); err != nil {
				return err
			}
			return f.Restore()
		},
	}
}

// nodeFolders are the directories of the nodes that run.
type nodeFolders struct {
	nodes   interface{ Detached() []string }
	replace func(ids []string) error // has nodes replaced whose directories are gone
	told    []string                 // nodes of which that is known
}

// Intact tells whether every node has its directory, but for those that are being replaced.
func (n *nodeFolders) Intact() (bool, error) { return len(n.news()) == 0, nil }

func (n *nodeFolders) news() []string {
	detached := n.nodes.Detached()
	n.told = slices.DeleteFunc(n.told, func(id string) bool { return !slices.Contains(detached, id) })
	return slices.DeleteFunc(detached, func(id string) bool { return slices.Contains(n.told, id) })
}

// Restore has the nodes replaced that have none: a directory that is made anew is not theirs.
func (n *nodeFolders) Restore() error {
	news := n.news()
	if err := n.replace(news); err != nil {
		return err
	}
	n.told = append(n.told, news...)
	return nil
}

func makeFolder(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// identified is a file or directory as it was at a time; nil inside when there was none.
type identified struct{ info fs.FileInfo }

func fileAt(path string) *identified {
	info, err := os.Stat(path)
	if err != nil {
		return &identified{}
	}
	return &identified{info}
}

func (i *identified) same(_ string, now fs.FileInfo) (bool, error) {
	return i.info != nil && os.SameFile(i.info, now), nil
}

// holds tells whether a file has that content. What is no regular file has not.
func holds(content []byte) func(string, fs.FileInfo) (bool, error) {
	return func(path string, info fs.FileInfo) (bool, error) {
		if !info.Mode().IsRegular() || info.Size() != int64(len(content)) {
			return false, nil
		}
		now, err := os.ReadFile(path)
		return bytes.Equal(now, content), err
	}
}
