package statedir

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// checkParents refuses a state directory that other users could replace. They could if they may write to a directory
// above it that has no sticky bit, which would keep them from renaming others' files. What is below a directory that
// other users cannot enter does not matter.
func (c Checker) checkParents(dir string) error {
	for _, path := range fromRoot(dir) {
		info, err := lstat(path)
		if errors.Is(err, fs.ErrNotExist) { // it will be created with a safe mode
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot look at %s: %w", path, err)
		}
		if info.Mode&0o011 == 0 && int(info.Uid) == c.UID {
			return nil
		}
		byOthers := info.Mode&0o002 != 0 || info.Mode&0o020 != 0 && !c.private(int(info.Gid))
		if byOthers && info.Mode&unix.S_ISVTX == 0 {
			return &Refusal{
				fmt.Sprintf("others may write to %s (mode %s, group %d), which is above the state directory: they "+
					"could put another in its location", path, octal(info.Mode), info.Gid),
				fmt.Sprintf("`chmod go-w %s`, or choose another directory with LARDER_HOME", path),
			}
		}
	}
	return nil
}

// fromRoot lists the directories above a directory and the directory itself, the root first.
func fromRoot(dir string) (paths []string) {
	for {
		paths = append([]string{dir}, paths...)
		up := filepath.Dir(dir)
		if up == dir {
			return paths
		}
		dir = up
	}
}

// private reports whether only this user is in a group. On many systems each user has a group of its own, which may
// write to the user's files. Group 0 is never private: containers run users of any id in it.
func (c Checker) private(gid int) bool {
	if gid == 0 || gid != c.GID || gid != c.UID {
		return false
	}
	f, err := os.Open("/etc/group")
	if err != nil { // a system without group names
		return errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":") // name, password, id, members
		if len(fields) == 4 && fields[2] == strconv.Itoa(gid) && fields[3] != "" && fields[3] != fields[0] {
			return false
		}
	}
	return lines.Err() == nil
}
