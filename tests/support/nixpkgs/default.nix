# host.nix, written by the test: { bash, python, series, path, glibc, gone }.
{ system ? "x86_64-linux", config ? { }, overlays ? [ ] }:
let
  host = import ./host.nix;
  lib = import ./lib.nix;

  # The colon at the end keeps bash from becoming its last command, which Nix may then kill early.
  simple = name: script: builtins.derivation {
    inherit name system;
    builder = host.bash;
    PATH = host.path;
    args = [ "-e" "-c" "${script}\n:" ];
  };
  programs = name: links: simple name
    ("mkdir -p $out/bin; " + lib.concatStrings (lib.mapAttrsToList (link: to: "ln -s ${to} $out/bin/${link}; ") links));
  library = name: simple name "mkdir -p $out/lib";

  setup = builtins.derivation {
    name = "stdenv-stand-in";
    inherit system;
    builder = host.bash;
    PATH = host.path;
    setup = ./setup.sh;
    args = [ "-e" "-c" "mkdir -p $out; cp $setup $out/setup; :" ];
  };

  mkDerivation = attributes:
    let
      passthru = attributes.passthru or { };
      derivation = builtins.derivation (builtins.removeAttrs attributes [ "passthru" "meta" ] // {
        inherit system;
        builder = host.bash;
        args = [ "-e" ./builder.sh ];
        stdenv = setup;
        outputs = [ "out" ];
        HOST_PATH = host.path;
      });
    in
    derivation // passthru // {
      inherit passthru;
      overrideAttrs = change: mkDerivation (attributes // change attributes);
    };

  fetchurl = { url, name ? baseNameOf url, sha256 }: builtins.derivation {
    inherit name url;
    system = "builtin";
    builder = "builtin:fetchurl";
    outputHashMode = "flat";
    outputHashAlgo = "sha256";
    outputHash = sha256;
    unpack = false;
    executable = false;
  };

  python = rec {
    link = programs "python3-${host.series}" { "python${host.series}" = host.python; python3 = host.python; };
    set = link // {
      executable = "python${host.series}";
      interpreter = "${link}/bin/python${host.series}";
      sitePackages = "lib/python${host.series}/site-packages";
    };
  };
in
builtins.removeAttrs
{
  inherit fetchurl lib system;
  stdenv = setup // { inherit mkDerivation; cc.cc.lib = library "gcc-lib"; };
  glibc.version = host.glibc;
  "python${builtins.replaceStrings [ "." ] [ "" ] host.series}" = python.set;
  zlib = library "zlib";
  zstd = library "zstd";
  bash = programs "bash" { bash = host.bash; sh = host.bash; };
  bashInteractive = programs "bash-interactive" { bash = host.bash; sh = host.bash; };
  runtimeShell = host.bash;
  nixfmt-rfc-style = programs "nixfmt" { };

  runCommand = name: attributes: buildCommand:
    mkDerivation ({ inherit name buildCommand; passAsFile = [ "buildCommand" ]; } // attributes);

  mkShell = { packages ? [ ], ... }@attributes:
    mkDerivation (builtins.removeAttrs attributes [ "packages" ] // {
      nativeBuildInputs = packages;
      buildCommand = "declare -p > $out";
    });

  # As nixpkgs' own: a wheel by its tags, on a host that exists nowhere (hashed-mirrors serve it).
  fetchPypi = { format, pname, version, dist, python, abi, platform, sha256 }:
    assert format == "wheel";
    fetchurl {
      url = "https://files.invalid/packages/${dist}/${builtins.substring 0 1 pname}/${pname}/${pname}-${version}-${python}-${abi}-${platform}.whl";
      inherit sha256;
    };

  requireFile = { name, sha256, message }: builtins.derivation {
    inherit name message system;
    builder = host.bash;
    args = [ "-c" "printf '%s\\n' \"$message\" >&2; exit 1; :" ];
    outputHashMode = "flat";
    outputHashAlgo = "sha256";
    outputHash = sha256;
  };
}
  host.gone
