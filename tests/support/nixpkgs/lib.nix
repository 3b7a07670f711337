# The functions of nixpkgs' lib that are used, with the same results.
let
  inherit (builtins) attrNames concatStringsSep elem filter head isString map match replaceStrings split tail;
in
rec {
  optional = condition: value: if condition then [ value ] else [ ];
  optionalString = condition: text: if condition then text else "";
  concatStrings = concatStringsSep "";
  concatMapStringsSep = separator: function: list: concatStringsSep separator (map function list);
  mapAttrsToList = function: set: map (name: function name set.${name}) (attrNames set);
  splitString = separator: text: filter isString (split "[${separator}]" text);
  attrByPath = path: default: set:
    if path == [ ] then set
    else if set ? ${head path} then attrByPath (tail path) default set.${head path}
    else default;
  makeLibraryPath = packages: concatMapStringsSep ":" (package: "${package.lib or package}/lib") packages;
  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  removePrefix = prefix: text:
    if hasPrefix prefix text then builtins.substring (builtins.stringLength prefix) (-1) text else text;
  versionOlder = one: other: builtins.compareVersions one other < 0;
  escapeShellArg = value:
    let text = toString value; in
    if match "[[:alnum:],._+:@%/-]+" text != null then text
    else "'" + replaceStrings [ "'" ] [ "'\\''" ] text + "'";
}
