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

// checkParents refuses a state directory that others could put another in the place of: they may write to a directory
// above it that keeps nobody from renaming what is another's (no sticky bit). Below one that lets nobody else in it
// does not matter.
func (c Checker) checkParents(dir string) error {
	for _, path := range fromRoot(dir) {
		info, err := lstat(path)
		if errors.Is(err, fs.ErrNotExist) { // it is made with a mode that is good
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
					"could put another in its place", path, octal(info.Mode), info.Gid),
				fmt.Sprintf("`chmod go-w %s`, or choose another directory with LARDER_HOME", path),
			}
		}
	}
	return nil
}

// fromRoot lists a directory and those above it, the root first.
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

// private tells whether a group is this user's own, which nobody else is in: many systems give each user one, and let
// it write to what the user makes. The group 0 is none: containers run users of any id in it.
func (c Checker) private(gid int) bool {
	if gid == 0 || gid != c.GID || gid != c.UID {
		return false
	}
	f, err := os.Open("/etc/group")
	if err != nil { // a system without names of groups
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
