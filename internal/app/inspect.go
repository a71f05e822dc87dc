package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"larder/internal/doctor"
	"larder/internal/statedir"
)

// Inspect looks at a state directory, and changes nothing in it.
func (h Home) Inspect() doctor.Directory {
	d := doctor.Directory{Path: string(h)}
	if d.Err = h.Answers(); d.Err != nil {
		return d
	}
	info, err := os.Stat(string(h))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.Missing = true
		d.Room, d.Err = room(string(h))
		return d
	case err != nil:
		d.Err = err
		return d
	}
	found, err := statedir.New().Look(string(h))
	d.Modes, d.Refused = found.Modes, found.Refused
	if err != nil {
		d.Err = err
		return d
	}
	if d.Real, d.Err = filepath.EvalSymlinks(string(h)); d.Err != nil || !info.IsDir() {
		return d
	}
	if _, d.Err = os.ReadDir(string(h)); d.Err != nil {
		return d
	}
	d.Room, d.Err = room(string(h))
	if d.Err != nil {
		return d
	}
	d.Holder, d.Held, d.Err = h.Holder()
	if d.Err != nil {
		return d
	}
	d.Err = h.inspectFiles(&d)
	return d
}

// inspectFiles looks at the files of the directory.
func (h Home) inspectFiles(d *doctor.Directory) error {
	var errs [4]error
	files := []string{h.masterKey(), h.infoFile(), h.LogFile(), h.MailDir(), h.path(regionsName)}
	var stores []string // of log events and of metrics
	for _, r := range h.used() {
		files = append(files, r.stateFile(), r.stateFile()+".reserve", r.nodes(), r.snapshots(), r.logs(),
			r.metrics())
		stores = append(stores, r.logs(), r.metrics())
	}
	own, err := inspect(files...)
	errs[0] = err
	for _, f := range own {
		if f.Changed.After(d.Newest) {
			d.Newest = f.Changed
		}
	}
	left, err := h.temporary()
	errs[1] = err
	d.Leftovers, errs[2] = inspect(left...)
	d.Damaged, errs[3] = damaged(stores...)
	if !d.Held {
		d.Unusable = h.refuseNew()
	}
	if _, err := h.ReadInfo(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.Info = err
	}
	return errors.Join(errs[:]...)
}

// damaged lists what was set aside in directories, and in those in them.
func damaged(dirs ...string) (all []doctor.File, err error) {
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			var found []doctor.File
			switch {
			case e.IsDir():
				found, err = damaged(path)
			case filepath.Ext(path) == ".damaged":
				found, err = inspect(path)
			}
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// inspect describes those of the files that there are.
func inspect(paths ...string) (all []doctor.File, err error) {
	for _, path := range paths {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, doctor.File{Path: path, Changed: info.ModTime()})
	}
	return all, nil
}

// room is what is free on the file system that has a path, or would have it.
func room(path string) (doctor.Room, error) {
	var st unix.Statfs_t
	for {
		err := unix.Statfs(path, &st)
		if err == nil {
			return doctor.Room{Bytes: st.Bavail * uint64(st.Bsize), Inodes: st.Ffree, Counted: st.Files > 0}, nil
		}
		up := filepath.Dir(path)
		if !errors.Is(err, fs.ErrNotExist) || up == path {
			return doctor.Room{}, fmt.Errorf("cannot tell what room there is for %s: %w", path, err)
		}
		path = up
	}
}

// CheckServers says why an engine would find no redis-server to run.
func CheckServers(ctx context.Context, searchPath string) error {
	_, err := discover(ctx, searchPath)
	return err
}

// CheckLoopback says why nodes could not have their addresses. It listens on none.
func CheckLoopback() error {
	for _, address := range []string{"127.64.0.1", "127.255.255.254"} {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(address)})
		if err != nil {
			return err
		}
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}
