"the script";
