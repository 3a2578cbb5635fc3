# What the scripts of this folder share; to be sourced.

# twice runs a command, and once more if it fails: a registry may not answer.
twice() { "$@" || { echo "once more" >&2 && "$@"; }; }

# apt installs packages of the system.
apt() {
	local sudo=
	[ "$(id -u)" -eq 0 ] || sudo=sudo
	twice $sudo apt-get update && twice $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# venv makes a Python environment; on Debian that needs a separate package.
venv() { # venv FOLDER
	python3 -m venv "$1" || { rm -rf "$1" && apt python3-venv && python3 -m venv "$1"; }
}

# packages installs Python packages into an environment.
packages() { # packages FOLDER ARGUMENT...
	local folder=$1
	shift
	twice timeout --foreground -k 5 300 "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# modules installs what a package.json names into a folder.
modules() { # modules FOLDER
	twice timeout --foreground -k 5 240 npm install --prefix "$1" --no-package-lock --no-audit --no-fund --loglevel=error
}
