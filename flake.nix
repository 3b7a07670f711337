{
  description = "Lockfiles that are right for PyTorch on AMD RDNA1 cards, and the shells that hold them";

  # The same pin as the locks' own, for the same reasons (resolver/rdna1_lock/emit/nixfiles).
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

  outputs = { self, nixpkgs }:
    let
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};

      # A lock folder (or any path that holds its pylock.toml) to { env, shell, run, check, wheelhouse }.
      fromLock = { pkgs, folder }: import ./resolver/rdna1_lock/emit/nixfiles/env.nix {
        inherit pkgs;
        lock = builtins.fromTOML (builtins.readFile (folder + "/pylock.toml"));
      };

      locked = fromLock { inherit pkgs; folder = ./locks/rocm5.2-cp310; };
      own = fromLock { inherit pkgs; folder = ./locks/rdna1-lock-cp310; };
      python = "${own.env}/bin/${own.env.python.executable}";

      # Only what goes into the wheel, so that a changed page builds nothing anew.
      source = builtins.path {
        name = "rdna1-lock-source";
        path = ./.;
        filter = path: _:
          let relative = pkgs.lib.removePrefix "${toString ./.}/" path; in
          builtins.any (kept: relative == kept || pkgs.lib.hasPrefix "${kept}/" relative)
            [ "pyproject.toml" "README.md" "LICENSE" "resolver" "constraints" ];
      };

      # A virtual environment that sees the locked dependencies beside the one wheel that it holds.
      tool = pkgs.runCommand "rdna1-lock" { SOURCE_DATE_EPOCH = "315532800"; PYTHONHASHSEED = "0"; } ''
        export HOME=$TMPDIR
        cp -r ${source} $TMPDIR/source
        chmod -R u+w $TMPDIR/source
        (cd $TMPDIR/source && ${python} -m hatchling build --target wheel --directory $TMPDIR/dist)
        ${python} -I -m venv --without-pip $out
        echo ${own.env}/${own.env.python.sitePackages} > $out/${own.env.python.sitePackages}/locked.pth
        PIP_CONFIG_FILE=/dev/null ${python} -m pip --python $out/bin/python install --quiet \
          --no-index --no-deps --no-compile --no-cache-dir --disable-pip-version-check $TMPDIR/dist/*.whl
        $out/bin/python -s -m compileall -q --invalidation-mode unchecked-hash $out/${own.env.python.sitePackages}
      '';
    in
    {
      lib = { inherit fromLock; };

      packages.${system} = {
        default = tool;
        inherit (locked) env wheelhouse;
      };

      apps.${system}.default = {
        type = "app";
        program = "${tool}/bin/rdna1-lock";
      };

      devShells.${system}.default = locked.shell.overrideAttrs (shell: {
        nativeBuildInputs = shell.nativeBuildInputs ++ [
          (pkgs.runCommand "rdna1-lock-command" { } ''
            mkdir -p $out/bin
            ln -s ${tool}/bin/rdna1-lock $out/bin/
          '')
        ];
      });

      templates.default = {
        path = ./locks/rocm5.2-cp310;
        description = "PyTorch for RDNA1 cards, locked: pylock.toml and a flake that reads it";
        welcomeText = ''
          `git add` the files, then `nix develop`. Other requirements:
          `rdna1-lock resolve -r requirements.in --output-dir .`
        '';
      };

      formatter.${system} = pkgs.nixfmt-rfc-style;

      checks.${system} = {
        installed = locked.check;
        tool = pkgs.runCommand "rdna1-lock-check" { } ''
          export HOME=$TMPDIR
          ${tool}/bin/rdna1-lock --version
          ${tool}/bin/rdna1-lock rules > rules
          mkdir locks && cp -r ${./locks/rocm5.2-cp310} locks/rocm5.2-cp310
          # Up to date by its inputs: nothing is asked of any index.
          ${tool}/bin/rdna1-lock resolve --check
          touch $out
        '';
      };
    };
}
