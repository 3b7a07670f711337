# Written by rdna1-lock. Fixed text: every datum comes from `lock`, the parsed pylock.toml.
# Gives { env, shell, run, check, wheelhouse }.
{ pkgs, lock }:
let
  inherit (pkgs) lib;
  fail = message: throw "rdna1-lock: ${message}";

  # Whoever wrote the lock can have made its digests too, so every string is held to its form
  # before it reaches a builder's shell.
  form = what: pattern: value:
    if builtins.isString value && builtins.match pattern value != null then value
    else fail "${what} has not the form that it must have: ${builtins.toJSON value}";
  known = [ "AMDGCN_USE_BUFFER_OPS" "HSA_OVERRIDE_GFX_VERSION" "MIOPEN_DEBUG_CONV_IMPLICIT_GEMM" "ROCM_PATH" ];

  ours = lock.tool.rdna1-lock or (fail "this pylock.toml has no [tool.rdna1-lock] table");
  nix =
    if ours.schema != 1 && ours.schema != 2 then
      fail "schema ${toString ours.schema} is newer than env.nix; run `rdna1-lock nix`"
    else
      ours.nix // {
        python = form "nix.python" "python3[0-9]{1,2}" ours.nix.python;
        libraries = map (form "a name in nix.libraries" "[A-Za-z_][A-Za-z0-9_'-]*([.][A-Za-z_][A-Za-z0-9_'-]*)*") ours.nix.libraries;
      };
  attribute = what: dotted: lib.attrByPath (lib.splitString "." dotted) (fail "this nixpkgs has no ${dotted} (${what}); flake.lock pins one that has") pkgs;

  glibc = pkgs.glibc.version;
  python =
    if nix ? glibc-below && !(lib.versionOlder glibc nix.glibc-below) then
      fail "this nixpkgs has glibc ${glibc}, and the locked wheels load only below ${nix.glibc-below} (executable stack); flake.lock pins one that is older"
    else
      attribute "the interpreter" nix.python;
  sitePackages = "${env}/${python.sitePackages}";

  variables =
    let unknown = builtins.filter (name: !(builtins.elem name known)) (builtins.attrNames ours.env);
    in
    if unknown != [ ] then fail "no stack sets these variables: ${builtins.toJSON unknown}"
    else builtins.mapAttrs (name: form "the value of ${name}" "[!-~]([ -~]*[!-~])?") ours.env;

  # A lock is for one target, so each package has exactly one file.
  fileOf = package:
    let files = (package.wheels or [ ]) ++ lib.optional (package ? archive) package.archive;
    in
    if builtins.length files != 1 then
      fail "${package.name}: expected one wheel, found ${toString (builtins.length files)}"
    else
      let file = builtins.head files; in {
        package = package // {
          name = form "a package's name" "[a-z0-9]([a-z0-9-]*[a-z0-9])?" package.name;
          version = form "a version" "[0-9][0-9A-Za-z.!+]*" package.version;
        };
        sha256 = form "a sha256" "[0-9a-f]{64}" file.hashes.sha256;
        url =
          if file ? url
          then form "a URL" "(https?|file)://[A-Za-z0-9!$&'()*+,;=:@/?._~%-]+" file.url
          else null;
        name = form "a file name" "[A-Za-z0-9_.+!-]+[.]whl"
          (file.name or (builtins.replaceStrings [ "%2B" "%2b" "%21" ] [ "+" "+" "!" ] (baseNameOf file.url)));
      };
  files = map fileOf lock.packages;

  # `!` of an epoch is no character of a store path.
  storeName = file: builtins.replaceStrings [ "!" ] [ "_" ] file.name;

  # The default index serves a file under its tags, so a name and a hash are enough.
  fromName = file:
    let
      parts = builtins.match "([^-]+)-([^-]+(-[0-9][^-]*)?)-([^-]+)-([^-]+)-([^-]+)\\.whl" file.name;
      part = builtins.elemAt parts;
    in
    pkgs.fetchPypi {
      format = "wheel";
      pname = part 0;
      version = part 1;
      dist = part 3;
      python = part 3;
      abi = part 4;
      platform = part 5;
      inherit (file) sha256;
    };

  # A wheel of somebody's own is on no index, and the name of an epoch's is no name in the store.
  fromStore = file: pkgs.requireFile {
    name = storeName file;
    inherit (file) sha256;
    message = ''
      ${file.name} cannot be fetched by name and hash. Have it in wheels/ beside the lock, then:
        rdna1-lock nix FOLDER --add-wheels
    '';
  };

  fetched = file:
    if file.url != null then
      pkgs.fetchurl { name = storeName file; inherit (file) url sha256; }
    else if (file.package.tool.rdna1-lock.source or null) == "local" || storeName file != file.name then
      fromStore file
    else
      fromName file;

  # pip takes name and version from the file name, and a store path starts with a hash.
  wheelhouse = pkgs.runCommand "rdna1-wheelhouse" { } ''
    mkdir -p $out
    ${lib.concatMapStringsSep "\n" (file: "ln -s ${fetched file} $out/${lib.escapeShellArg file.name}") files}
  '';

  pins = builtins.toFile "requirements.txt" (lib.concatMapStringsSep ""
    (file: "${file.package.name}==${file.package.version} --hash=sha256:${file.sha256}\n")
    files);

  # pip 24.1 and newer read METADATA while they choose, and refuse specifiers from before PEP 440.
  # The older resolver, which has nothing to choose here, installs such a wheel unread.
  unread = lib.optionalString
    (builtins.any (package: package.tool.rdna1-lock.legacy-metadata or false) lock.packages)
    "--use-deprecated legacy-resolver ";

  libraryPath = lib.makeLibraryPath (map (attribute "a library of the stack") nix.libraries);

  env = pkgs.runCommand "rdna1-env"
    {
      PYTHONHASHSEED = "0";
      SOURCE_DATE_EPOCH = "315532800";
      PIP_CONFIG_FILE = "/dev/null";
      PIP_DISABLE_PIP_VERSION_CHECK = "1";
      passthru = { inherit python wheelhouse libraryPath; };
    } ''
    export HOME=$TMPDIR
    # pip comes out of the interpreter's own ensurepip and stays out of the result.
    ${python.interpreter} -I -m venv $TMPDIR/installer
    ${python.interpreter} -I -m venv --without-pip $out
    $TMPDIR/installer/bin/python -I -m pip --python $out/bin/python install --quiet \
      --no-index --find-links ${wheelhouse} --no-deps --require-hashes \
      --only-binary :all: --no-compile --no-cache-dir --no-warn-script-location \
      ${unread}--requirement ${pins}

    # Not -I, which ignores PYTHONHASHSEED. By hash, as the store has no modification times.
    # A file that does not compile (a template, a Python 2 sample) stays as it is.
    $out/bin/python -s -m compileall -qq --invalidation-mode unchecked-hash \
      $out/${python.sitePackages} || true

    # The loader path is for Python alone: in the shell it would break the host's programs. The
    # caller's is dropped: it goes before the wheels' own libraries (RUNPATH), and a ROCm of the
    # host there mixes two versions.
    rm $out/bin/${python.executable}
    cat > $out/bin/${python.executable} <<EOF
    #!${pkgs.runtimeShell}
    export LD_LIBRARY_PATH=${libraryPath}
    exec -a "\$0" ${python.interpreter} "\$@"
    EOF
    chmod +x $out/bin/${python.executable}
  '';

  # `nix run`: there is no shell to hold the variables.
  run = pkgs.runCommand "rdna1-python" { } ''
    mkdir -p $out/bin
    cat > $out/bin/python <<'EOF'
    #!${pkgs.runtimeShell}
    unset PYTHONPATH PYTHONHOME
    export PYTHONNOUSERSITE=1
    ${lib.concatStrings (lib.mapAttrsToList (name: value: "export ${name}=${lib.escapeShellArg value}\n") variables)}
    exec ${env}/bin/${python.executable} "$@"
    EOF
    chmod +x $out/bin/python
  '';

  check = pkgs.runCommand "rdna1-check" { } ''
    ${env}/bin/${python.executable} -I ${builtins.toFile "check.py" ''
      import re, sys
      from importlib.metadata import distributions
      from pathlib import Path

      def pinned(line):
          name, version = line.split(" ")[0].split("==")
          return name, version

      def same(version):
          # One version has several spellings: 1.0 and 1.0.0, 2019.2.7 and 2019.02.07.
          read = re.fullmatch(r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)(.*)", version.lower())
          if read is None:
              return version
          release = [int(part) for part in read[2].split(".")]
          while len(release) > 1 and release[-1] == 0:
              release.pop()
          return int(read[1] or 0), release, re.sub(r"[-_.]", "", read[3])

      locked = dict(map(pinned, Path(sys.argv[1]).read_text().splitlines()))
      found = {
          re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each.version
          for each in distributions(path=[sys.argv[2]])
      }
      if {n: same(v) for n, v in found.items()} != {n: same(v) for n, v in locked.items()}:
          sys.exit(f"installed: {found}\nlocked:    {locked}")
    ''} ${pins} ${sitePackages}
    touch $out
  '';

  shell = pkgs.mkShell (variables // {
    name = "rdna1-shell";
    packages = [ env ];
    VIRTUAL_ENV = "${env}";
    PYTHONNOUSERSITE = "1";
    shellHook = ''
      unset PYTHONPATH PYTHONHOME
    '';
  });
in
{ inherit env shell run check wheelhouse; }
